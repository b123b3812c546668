import { expect, test } from 'vitest'
import { offeredVerbs, zombieText } from '@/lib/sources/explain-capabilities'

const CAPABILITIES = {
  canRelease: true,
  canComplete: true,
  canFail: false,
  canCollect: false,
  casStrength: 'value',
  zombieSafe: false,
  providerKeyed: true,
}

test('nothing is offered that the store cannot do, nor before it was read', () => {
  expect(offeredVerbs(CAPABILITIES)).toEqual(['release', 'complete'])
  expect(offeredVerbs({ ...CAPABILITIES, canComplete: false, canFail: true })).toEqual(['release', 'fail'])
  expect(offeredVerbs(null)).toEqual([])
})

test('only of a store that prevents it is it said that the old holder can no longer write', () => {
  expect(zombieText({ ...CAPABILITIES, zombieSafe: true })).toBeNull()
  expect(zombieText(CAPABILITIES)).toBe('A holder that comes back may still write.')
  expect(zombieText({ ...CAPABILITIES, reasons: { zombie: 'It deletes the next one.' } })).toBe(
    'It deletes the next one.',
  )
})
