import { expect, it } from 'vitest'
import type { StoredResponse } from '@/sdk/stores/store'
import { again, type Harness, hold } from './harness'

const MIB = 1_048_576

/** Every byte there is, again and again, and no two blocks alike. */
function binary(bytes: number): Uint8Array {
  const body = new Uint8Array(bytes)
  for (let at = 0; at < bytes; at += 1) body[at] = (at * 167 + (at >>> 8) * 31) & 0xff
  return body
}

const BODIES: Record<string, Uint8Array> = {
  nothing: new Uint8Array(),
  'one NUL': new Uint8Array(1),
  'every byte': binary(256),
  'what is no UTF-8': Uint8Array.of(0xff, 0xfe, 0xc0, 0x80, 0x0a, 0x0d),
  'a view in a larger buffer': binary(4_096).subarray(1_000, 3_000),
  '64 KiB less one': binary(65_535),
  '64 KiB and one': binary(65_537),
  '400 KiB': binary(400 * 1_024),
  '1 MiB': binary(MIB),
  '4 MiB': binary(4 * MIB),
}

export function bodyCases(harness: () => Harness): void {
  it.each(Object.entries(BODIES))(
    'of %s is replayed byte for byte, in every process',
    async (_what, body) => {
      const { store } = harness()
      const second = await harness().openStore()
      const holder = await hold(store)
      const stored: StoredResponse = { status: 200, headers: [], body }
      expect(await store.complete(holder, stored)).toMatchObject({ createdAt: expect.any(Date) })
      for (const reader of [store, second]) {
        const replay = await reader.acquire(again(holder))
        expect(replay).toMatchObject({ kind: 'replay', status: 200, headers: [] })
        expect(replay.kind === 'replay' && Buffer.compare(Buffer.from(replay.body), Buffer.from(body))).toBe(
          0,
        )
      }
      // Said again, as after a lost reply.
      expect(await store.complete(holder, stored)).toMatchObject({ createdAt: expect.any(Date) })
    },
  )

  it('many headers are replayed in their order', async () => {
    const { store } = harness()
    const holder = await hold(store)
    const headers = Array.from({ length: 60 }, (_, at): [string, string] => [
      `x-header-${60 - at}`,
      `value ${at} `.repeat(20),
    ])
    await store.complete(holder, { status: 200, headers, body: new Uint8Array([1]) })
    expect(await store.acquire(again(holder))).toMatchObject({ kind: 'replay', headers })
  })
}
