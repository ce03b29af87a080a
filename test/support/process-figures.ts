// What a process and its children cost, as Linux tells it in /proc: processor time, memory, descriptors.
// Reading only; Linux only. Starting and stopping processes is the business of others.

import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessFigures {
  /** Processor time used so far by the process and its descendants, ended ones included, ms (10 ms steps). */
  readonly cpuMs: number;
  /** Resident memory of all of them, bytes; pages shared between them count each time. */
  readonly rss: number;
  /** Proportional memory, bytes: a shared page counts in parts. The honest figure of several processes together. */
  readonly pss: number;
  /** Memory of their own, not backed by files, bytes: what a leak grows. Unlike `pss` it knows nothing of strangers. */
  readonly anonymous: number;
  /** Open file descriptors of the process itself. */
  readonly fds: number;
  /** The process and its descendants. */
  readonly processes: number;
}

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const msPerTick = 10;
const pageBytes = 4096;

/** A process may end while it is looked at: what cannot be read any more counts as nothing. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return '';
    throw error;
  }
}

/** Fields of /proc/PID/stat from the state on; the name before it may hold spaces and brackets. See proc(5). */
function statFields(pid: number): string[] {
  const text = read(`/proc/${pid}/stat`);
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** `root` first, then its descendants. */
export function processTree(root: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(Number(name))[1]);
    const siblings = childrenOf.get(parent);
    if (siblings) siblings.push(Number(name));
    else childrenOf.set(parent, [Number(name)]);
  }
  const found = [root];
  // The list grows while it is walked.
  for (const pid of found) found.push(...(childrenOf.get(pid) ?? []));
  return found;
}

/** Open descriptors of one process; 0 when it is gone. */
export function openDescriptors(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

export function processFigures(pid: number): ProcessFigures {
  const tree = processTree(pid);
  let ticks = 0;
  let rss = 0;
  let pss = 0;
  let anonymous = 0;
  for (const each of tree) {
    const fields = statFields(each);
    // utime, stime, and of children that were waited for cutime, cstime: fields 14–17 of stat.
    for (let field = 11; field <= 14; field++) ticks += Number(fields[field] ?? 0);
    rss += Number(read(`/proc/${each}/statm`).split(' ')[1] ?? 0) * pageBytes;
    const memory = read(`/proc/${each}/smaps_rollup`);
    pss += Number(/^Pss:\s+(\d+) kB/m.exec(memory)?.[1] ?? 0) * 1024;
    anonymous += Number(/^Pss_Anon:\s+(\d+) kB/m.exec(memory)?.[1] ?? 0) * 1024;
  }
  return { cpuMs: ticks * msPerTick, rss, pss, anonymous, fds: openDescriptors(pid), processes: tree.length };
}

/** Processor time that all processes of the machine have used since it started, ms. */
export function machineCpuMs(): number {
  // user nice system idle iowait irq softirq steal …: see proc(5).
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = read('/proc/stat')
    .split('\n', 1)[0]!
    .split(/ +/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) * msPerTick;
}

/** Percent of one core used between two readings `elapsedMs` apart. */
export function cpuPercent(before: ProcessFigures, after: ProcessFigures, elapsedMs: number): number {
  return ((after.cpuMs - before.cpuMs) / elapsedMs) * 100;
}
