import { expect, test } from 'vitest'
import { Prng } from '../../demo/prng'
import { storeNames } from '../../demo/stores/names'
import { faultNames, faultsNamed, messageFaultNames } from '../../demo/traffic/faults/registry'
import { planMessageFault, planOperation } from '../../demo/traffic/plan'

const options = {
  seed: '7',
  faultRate: 0.05,
  faults: faultNames,
  messageFaults: messageFaultNames,
  stores: storeNames,
}
const plan = (seed: string, count: number) =>
  Array.from({ length: count }, (_, index) => planOperation({ ...options, seed }, index))

test('an operation depends on seed and index only', () => {
  const forwards = plan('7', 300)
  const backwards = Array.from({ length: 300 }, (_, n) => planOperation(options, 299 - n)).reverse()
  expect(backwards).toEqual(forwards)
  expect(plan('8', 300)).not.toEqual(forwards)
})

test('keys and references never repeat', () => {
  const operations = plan('7', 5000)
  expect(new Set(operations.flatMap(({ keys }) => keys)).size).toBe(15_000)
  expect(new Set(operations.map(({ reference }) => reference)).size).toBe(5000)
})

test('a minute at rate 20 and fault rate 0.05 has every fault at least three times', () => {
  const counts = new Map<string, number>()
  for (const { fault } of plan('1', 1200)) {
    if (fault !== undefined) counts.set(fault, (counts.get(fault) ?? 0) + 1)
  }
  expect([...counts.keys()].sort()).toEqual([...faultNames].sort())
  expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(3)
})

test('no faults are planned at rate 0, and one each time at rate 1', () => {
  expect(planOperation({ ...options, faultRate: 0 }, 99).fault).toBeUndefined()
  const all = faultNames.map((_, index) => planOperation({ ...options, faultRate: 1 }, index).fault)
  expect(all).toEqual(faultNames)
})

test('one kind of fault alone happens as often as all of them together', () => {
  const alone = { ...options, ...faultsNamed('key_reused') }
  const faulty = Array.from({ length: 400 }, (_, index) => planOperation(alone, index)).filter(
    ({ fault }) => fault !== undefined,
  )
  expect(faulty.map(({ fault }) => fault)).toEqual(Array.from({ length: 20 }, () => 'key_reused'))
  expect(faulty.map(({ faultsBefore }) => faultsBefore)).toEqual(Array.from({ length: 20 }, (_, n) => n))
  expect(() => faultsNamed('key_resued')).toThrow(/no fault key_resued; there are response_lost/)
})

test('amounts are what the provider takes', () => {
  for (const { amountMinor, currency } of plan('3', 2000)) {
    const amount = Number(amountMinor)
    expect(amount).toBeGreaterThanOrEqual(300)
    expect(amount).toBeLessThanOrEqual(99_999_999)
    if (currency === 'KWD') expect(amount % 10).toBe(0)
  }
})

test('the generator is even and keeps to its bounds', () => {
  const prng = new Prng('even')
  const drawn = Array.from({ length: 10_000 }, () => prng.int(1, 10))
  for (let n = 1; n <= 10; n += 1) {
    const share = drawn.filter((value) => value === n).length / drawn.length
    expect(share).toBeGreaterThan(0.08)
    expect(share).toBeLessThan(0.12)
  }
  expect(prng.uuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('faults of messages take turns of their own, and move nothing else', () => {
  const counts = new Map<string, number>()
  for (let index = 0; index < 1200; index += 1) {
    const beside = planMessageFault(options, index)
    if (beside?.fault !== undefined) counts.set(beside.fault, (counts.get(beside.fault) ?? 0) + 1)
  }
  expect([...counts.keys()].sort()).toEqual([...messageFaultNames].sort())
  expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(2)
  const without = { ...options, messageFaults: [] }
  for (let index = 0; index < 300; index += 1) {
    expect(planMessageFault(without, index)).toBeUndefined()
    expect(planOperation(without, index)).toEqual(planOperation(options, index))
  }
  const alone = { ...options, ...faultsNamed('poison_message') }
  const faulty = Array.from({ length: 400 }, (_, index) => planMessageFault(alone, index)).filter(Boolean)
  expect(faulty.map((planned) => planned?.fault)).toEqual(Array.from({ length: 20 }, () => 'poison_message'))
  expect(planOperation(alone, 19).fault).toBeUndefined()
})
