import { expect, it } from 'vitest'
import { ByteBudget } from '@/jobs/receiver/budget'
import { FairQueue } from '@/jobs/receiver/fair-queue'

const everything = () => true
const drain = <T>(queue: FairQueue<T>) => Array.from({ length: queue.length }, () => queue.take(everything))

it('a noisy sender delays another by one request, not by its whole line', () => {
  const queue = new FairQueue<string>()
  const noisy = { address: '10.0.0.1', connection: {} }
  for (let index = 0; index < 100; index++) queue.push(noisy, `noisy ${index}`)
  queue.push({ address: '10.0.0.2', connection: {} }, 'quiet')
  const order = drain(queue)
  expect(order.indexOf('quiet')).toBe(1)
  expect(order.slice(2, 4)).toEqual(['noisy 1', 'noisy 2'])
  expect(queue.length).toBe(0)
})

it('many connections of one address take turns, and count as one address', () => {
  const queue = new FairQueue<string>()
  for (let index = 0; index < 50; index++) queue.push({ address: 'a', connection: {} }, `a${index}`)
  queue.push({ address: 'b', connection: {} }, 'b0')
  queue.push({ address: 'b', connection: {} }, 'b1')
  expect(drain(queue).slice(0, 5)).toEqual(['a0', 'b0', 'a1', 'b1', 'a2'])
})

it('an item that does not fit stays where it is', () => {
  const queue = new FairQueue<string>()
  queue.push({ address: 'a', connection: {} }, 'large')
  expect(queue.take(() => false)).toBeUndefined()
  expect(queue.take(everything)).toBe('large')
  expect(queue.take(everything)).toBeUndefined()
})

it('one address holds at most half; another still gets in; everything is given back', () => {
  const budget = new ByteBudget(1000)
  const shares = Array.from({ length: 5 }, () => budget.open('noisy'))
  expect(shares.map((share) => share.grow(100))).toEqual(Array(5).fill('taken'))
  const sixth = budget.open('noisy')
  expect(sixth.grow(100)).toBe('too much of one sender')
  const quiet = budget.open('quiet')
  expect(quiet.grow(400)).toBe('taken')
  const third = budget.open('third')
  expect(third.grow(200)).toBe('full')
  for (const share of [...shares, quiet]) share.release()
  expect(budget.usedBytes).toBe(0)
  // Alone, a request may be larger than its half.
  expect(sixth.grow(900)).toBe('taken')
})
