// Writes ONNX models: the few protobuf messages a float network needs, and a builder that keeps names unique.
// Knows nothing of MTCNN; field numbers are those of onnx.proto3 (ONNX 1.12: IR version 8, operator set 17).

const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE = { int: 2, string: 3, ints: 7 } as const;

type Attribute = number | string | readonly number[];
/** A named dimension is free: it is given by each run. */
export type Dimension = number | string;

const utf8 = new TextEncoder();

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const integer = (field: number, value: number) => concat([varint(field << 3), varint(value)]);
const bytes = (field: number, value: Uint8Array) =>
  concat([varint((field << 3) | 2), varint(value.length), value]);
const text = (field: number, value: string) => bytes(field, utf8.encode(value));
const packed = (field: number, values: readonly number[]) => bytes(field, concat(values.map(varint)));

function attribute(name: string, value: Attribute): Uint8Array {
  if (typeof value === 'number')
    return concat([text(1, name), integer(3, value), integer(20, ATTRIBUTE.int)]);
  if (typeof value === 'string')
    return concat([text(1, name), text(4, value), integer(20, ATTRIBUTE.string)]);
  return concat([text(1, name), packed(8, value), integer(20, ATTRIBUTE.ints)]);
}

function valueInfo(name: string, shape: readonly Dimension[]): Uint8Array {
  const dims = shape.map((d) => bytes(1, typeof d === 'number' ? integer(1, d) : text(2, d)));
  const tensor = concat([integer(1, FLOAT), bytes(2, concat(dims))]);
  return concat([text(1, name), bytes(2, bytes(1, tensor))]);
}

/** Little-endian, whatever machine builds the model: the committed bytes must not depend on it. */
function littleEndian(values: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  for (const [index, value] of values.entries()) view.setFloat32(index * 4, value, true);
  return new Uint8Array(view.buffer);
}

/** Builds one graph in the order of its nodes; every method returns the name of the value it makes. */
export class GraphBuilder {
  readonly #nodes: Uint8Array[] = [];
  readonly #initializers: Uint8Array[] = [];
  readonly #inputs: Uint8Array[] = [];
  readonly #outputs: Uint8Array[] = [];
  #made = 0;

  #name(op: string): string {
    this.#made++;
    return `${op.toLowerCase()}${this.#made}`;
  }

  input(name: string, shape: readonly Dimension[]): string {
    this.#inputs.push(valueInfo(name, shape));
    return name;
  }

  output(name: string, value: string, shape: readonly Dimension[]): void {
    this.#nodes.push(concat([text(1, value), text(2, name), text(3, `${name}_output`), text(4, 'Identity')]));
    this.#outputs.push(valueInfo(name, shape));
  }

  constant(values: Float32Array, shape: readonly number[]): string {
    if (values.length !== shape.reduce((product, d) => product * d, 1))
      throw new RangeError('values and shape differ');
    const name = this.#name('constant');
    this.#initializers.push(
      concat([packed(1, shape), integer(2, FLOAT), text(8, name), bytes(9, littleEndian(values))]),
    );
    return name;
  }

  /** Whole numbers ≥ 0, or −1 (as in Reshape). */
  integers(values: readonly number[]): string {
    const view = new DataView(new ArrayBuffer(values.length * 8));
    for (const [index, value] of values.entries()) view.setBigInt64(index * 8, BigInt(value), true);
    const name = this.#name('integers');
    const data = bytes(9, new Uint8Array(view.buffer));
    this.#initializers.push(concat([packed(1, [values.length]), integer(2, INT64), text(8, name), data]));
    return name;
  }

  op(type: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const name = this.#name(type);
    this.#nodes.push(
      concat([
        ...inputs.map((input) => text(1, input)),
        text(2, name),
        text(3, name),
        text(4, type),
        ...Object.entries(attributes).map(([key, value]) => bytes(5, attribute(key, value))),
      ]),
    );
    return name;
  }

  /** @returns the bytes of the ONNX file; the same graph gives the same bytes. */
  model(name: string, description: string): Uint8Array {
    const graph = concat([
      ...this.#nodes.map((node) => bytes(1, node)),
      text(2, name),
      ...this.#initializers.map((tensor) => bytes(5, tensor)),
      text(10, description),
      ...this.#inputs.map((info) => bytes(11, info)),
      ...this.#outputs.map((info) => bytes(12, info)),
    ]);
    const opset = concat([text(1, ''), integer(2, 17)]);
    return concat([
      integer(1, 8),
      text(2, 'build-mtcnn'),
      text(6, description),
      bytes(7, graph),
      bytes(8, opset),
    ]);
  }
}
