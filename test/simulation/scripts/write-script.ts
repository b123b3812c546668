import { Prng } from '@/demo/prng'
import type { ServiceStyle } from '../world/service'
import { drawMove, drawWeights } from './draw'
import { type About, type Move, PLAIN, type Script } from './script'

const MOVES = { low: 14, high: 34 }

const SUBJECTS: readonly (readonly [About, number])[] = [
  ['keys', 5],
  ['money', 3],
  ['feeds', 2],
  ['retention', 2],
]

/** The script of a seed. Each seed draws a world of its own first: few things, often, find more than all things, seldom. */
export function writeScript(seed: number): Script {
  const random = new Prng(`simulation-${seed}`)
  const about = random.pick(SUBJECTS)
  const style = drawStyle(about, random)
  const weights = drawWeights(about, style, random)
  const moves = Array.from({ length: random.int(MOVES.low, MOVES.high) }, () => drawMove(random, weights))
  if (about === 'money' || about === 'feeds')
    moves.unshift(...[0, 1].map((key): Move => ({ do: 'pay', key, process: 0, card: 'good', ...PLAIN })))
  return { seed, about, style, moves }
}

function drawStyle(about: About, random: Prng): ServiceStyle {
  // What is taken when concerns what runs compare, and no key.
  const isCompared = about === 'money' || about === 'feeds'
  return {
    tags: random.pick([
      ['charge', 4],
      ['intent', 1],
      ['none', 2],
    ]),
    keeps: random.pick([
      ['charge', 3],
      ['intent', 2],
    ]),
    books: random.pick([
      ['transaction', 3],
      ['transaction_retried', 2],
      ['before_answer', 2],
      ['own_transaction', 2],
    ]),
    captures: isCompared
      ? random.pick([
          ['at_once', 4],
          ['async', 1],
          ['later', 2],
        ])
      : 'at_once',
    fees: isCompared
      ? random.pick([
          ['none', 3],
          ['right', 1],
          ['wrong', 1],
        ])
      : 'none',
    swallows: random.next() < 0.15,
    slowBody: random.next() < 0.25,
    slowBooking: random.next() < 0.4,
  }
}
