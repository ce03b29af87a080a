// What Redis does with the leases of ad-hoc streams, each as one step (Lua). Time is that of Redis.
// When they are run, and what follows from the answers, is in ad-hoc.ts.

/**
 * `held` with the fence, `elsewhere` (or, when renewed, `lost`) with the holder, `too_many`, `free`. Numbers come as
 * text where they may exceed what a reply holds exactly.
 */
export type Answer = readonly ['held' | 'elsewhere' | 'lost' | 'too_many' | 'free', (string | number)?];

/**
 * KEYS: the leases (hash: id → JSON of instance, account, fence, until), the latest fence. There are at most some
 * dozens of leases, so that all are read each time, and what is over is removed on the way.
 *
 * A fence is at least the time, ms, so that it also grows when Redis comes back empty.
 */
const common = `
local at = redis.call('time')
local now = at[1] * 1000 + math.floor(at[2] / 1000)
local leases = {}
local entries = redis.call('hgetall', KEYS[1])
for index = 1, #entries, 2 do
  local lease = cjson.decode(entries[index + 1])
  if lease['until'] > now then leases[entries[index]] = lease else redis.call('hdel', KEYS[1], entries[index]) end
end
local latest = tonumber(redis.call('get', KEYS[2]) or '0')
local function exact(number) return string.format('%.0f', number) end
local function put(id, instance, account, fence, ms)
  if fence > latest then
    latest = fence
    redis.call('set', KEYS[2], exact(fence))
  end
  local text = '{"instance":' .. cjson.encode(instance) .. ',"account":' .. cjson.encode(account)
    .. ',"fence":' .. exact(fence) .. ',"until":' .. exact(now + ms) .. '}'
  redis.call('hset', KEYS[1], id, text)
  return { 'held', exact(fence) }
end
local function nextFence() return math.max(latest + 1, now) end
`;

/** ARGV: instance, ms, id, account (may be empty), most of all, most of the account. */
export const acquireScript = `${common}
local instance, ms, id, account = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
local known = leases[id]
if known and known.instance ~= instance then return { 'elsewhere', known.instance } end
if known then return put(id, instance, account, known.fence, ms) end
local all, own = 0, 0
for _, lease in pairs(leases) do
  all = all + 1
  if lease.account == account then own = own + 1 end
end
if all >= tonumber(ARGV[5]) or (account ~= '' and own >= tonumber(ARGV[6])) then return { 'too_many' } end
return put(id, instance, account, nextFence(), ms)
`;

/**
 * ARGV: instance, ms, how many leases; id, account and fence of each; then ids that are only looked at.
 * A lease that is not there any more (Redis came back empty, or it was made without Redis) is put back, over any limit,
 * with a higher fence if others have had one since.
 */
export const renewScript = `${common}
local instance, ms, count = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local answers = {}
for index = 1, count do
  local from = 3 * index + 1
  local id, account, fence = ARGV[from], ARGV[from + 1], tonumber(ARGV[from + 2])
  local known = leases[id]
  if known and known.instance ~= instance then
    answers[index] = { 'lost', known.instance }
  else
    local stands = known and fence >= known.fence
    answers[index] = put(id, instance, account, (stands or fence >= latest) and fence or nextFence(), ms)
  end
end
for index = 3 * count + 4, #ARGV do
  local known = leases[ARGV[index]]
  answers[#answers + 1] = known and { 'elsewhere', known.instance } or { 'free' }
end
return answers
`;

/** ARGV: instance, id. */
export const releaseScript = `${common}
local known = leases[ARGV[2]]
if known and known.instance == ARGV[1] then redis.call('hdel', KEYS[1], ARGV[2]) end
`;
