import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { nextSeed } from '../../demo/run-number'
import { openTruth } from '../../demo/truth'

const truth = {
  at: '2026-01-01T00:00:00.000Z',
  fault: 'ledger_lost',
  class: 'ledger_missing',
  store: 'postgresql' as const,
  scope: 'web/POST /v1/payments',
  key: 'key-1',
  effectIds: ['ch_1'],
  reference: 'order-1',
}

test('truth is one whole line a fault, with the fields in their order, and is appended to', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'idemscope-truth-'))
  try {
    const path = join(dir, 'deep', 'truth.ndjson')
    openTruth(path)(truth)
    // Fields of a script that are no truth stay out.
    openTruth(path)({ ...truth, key: 'key-2', ...{ extra: true } })
    const lines = (await readFile(path, 'utf8')).split('\n')
    expect(lines).toHaveLength(3)
    expect(lines[0]).toBe(JSON.stringify(truth))
    expect(JSON.parse(lines[1] ?? '')).toEqual({ ...truth, key: 'key-2' })
  } finally {
    await rm(dir, { recursive: true })
  }
})

test('the first run has the seed as it is; later runs on the same data have others', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'idemscope-run-'))
  try {
    expect([await nextSeed(dir, '7'), await nextSeed(dir, '7'), await nextSeed(dir, '8')]).toEqual([
      '7',
      '7/run-1',
      '8/run-2',
    ])
  } finally {
    await rm(dir, { recursive: true })
  }
})
