import { nameOf } from './names'
import { cleanInteger, LIMITS, MalformedError } from './span'

const VARINT = 0
const FIXED64 = 1
const BYTES = 2
const FIXED32 = 5

/** Reads protobuf's wire format from a range of a buffer, without copying. Throws MalformedError past the end. */
export class WireReader {
  readonly #bytes: Buffer
  #at: number
  readonly #end: number
  field = 0
  type = 0

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  /** Moves to the next field; false at the end. */
  next(): boolean {
    if (this.#at >= this.#end) return false
    const tag = this.#varint32()
    this.field = tag >>> 3
    this.type = tag & 7
    if (this.field === 0) throw new MalformedError('protobuf: field number 0')
    return true
  }

  /** A field's length-delimited range as a reader of its own. */
  message(): WireReader {
    const length = this.#length()
    const start = this.#at
    this.#at += length
    return new WireReader(this.#bytes, start, this.#at)
  }

  text(): string {
    const length = this.#length()
    const start = this.#at
    this.#at += length
    // A character takes at most 4 bytes: what is cut away afterwards is not decoded first.
    return this.#bytes.toString('utf8', start, start + Math.min(length, LIMITS.text * 4))
  }

  /** The name of an attribute. */
  name(): string {
    const length = this.#length()
    const start = this.#at
    this.#at += length
    return nameOf(this.#bytes, start, this.#at)
  }

  hex(): string {
    const length = this.#length()
    const start = this.#at
    this.#at += length
    // Ids are 8 or 16 bytes; 17 are enough to see that it is neither.
    return this.#bytes.toString('hex', start, start + Math.min(length, 17))
  }

  base64(): string {
    const length = this.#length()
    const start = this.#at
    this.#at += length
    return this.#bytes.toString('base64', start, start + Math.min(length, LIMITS.text))
  }

  fixed64(): bigint {
    this.#need(FIXED64, 8)
    const value = this.#bytes.readBigUInt64LE(this.#at)
    this.#at += 8
    return value
  }

  double(): number {
    this.#need(FIXED64, 8)
    const value = this.#bytes.readDoubleLE(this.#at)
    this.#at += 8
    return value
  }

  /** A varint of up to 64 bits as a signed integer, exact: beyond 2^53 a bigint. */
  int64(): number | bigint {
    this.#need(VARINT, 1)
    let low = 0
    let scale = 1
    // Seven bytes fit a number; only longer ones pay for bigint.
    for (let index = 0; index < 7; index++) {
      const byte = this.#byte()
      low += (byte & 0x7f) * scale
      if (byte < 0x80) return low
      scale *= 128
    }
    let value = BigInt(low)
    for (let index = 7; index < 10; index++) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << BigInt(7 * index)
      if (byte < 0x80) return cleanInteger(BigInt.asIntN(64, value))
    }
    throw new MalformedError('protobuf: a varint longer than 10 bytes')
  }

  /** An enum or a small count; the low 32 bits, as protobuf truncates them. */
  int32(): number {
    const value = this.int64()
    return typeof value === 'number' ? value | 0 : Number(BigInt.asIntN(32, value))
  }

  skip(): void {
    if (this.type === VARINT) this.int64()
    else if (this.type === FIXED64) this.#advance(8)
    else if (this.type === BYTES) this.#advance(this.#length())
    else if (this.type === FIXED32) this.#advance(4)
    else throw new MalformedError(`protobuf: wire type ${this.type} is not supported`)
  }

  #length(): number {
    if (this.type !== BYTES)
      throw new MalformedError(`protobuf: field ${this.field} has wire type ${this.type}, not 2`)
    const length = this.#varint32()
    if (length > this.#end - this.#at) throw new MalformedError('protobuf: truncated')
    return length
  }

  #need(type: number, bytes: number): void {
    if (this.type !== type) {
      throw new MalformedError(`protobuf: field ${this.field} has wire type ${this.type}, not ${type}`)
    }
    if (bytes > this.#end - this.#at) throw new MalformedError('protobuf: truncated')
  }

  #advance(bytes: number): void {
    if (bytes > this.#end - this.#at) throw new MalformedError('protobuf: truncated')
    this.#at += bytes
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new MalformedError('protobuf: truncated')
    const byte = this.#bytes[this.#at]
    this.#at += 1
    return byte ?? 0
  }

  /** Tags and lengths: unsigned, at most 5 bytes. */
  #varint32(): number {
    let value = 0
    let scale = 1
    for (let index = 0; index < 5; index++) {
      const byte = this.#byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > 0xffff_ffff) break
        return value
      }
      scale *= 128
    }
    throw new MalformedError('protobuf: a tag or length beyond 32 bits')
  }
}
