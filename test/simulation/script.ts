import { Prng } from '@/demo/prng'
import { ACCOUNTS, type Account } from './accounts'
import type { RefundHow } from './money'
import type { ServiceStyle } from './service'
import type { Fault } from './strands'

/** How far something gets before the next move begins, and which of its calls goes wrong. */
export type Pace = { points: number; fault: Fault | null }
/** Further than anything has calls. */
export const TO_THE_END = 10_000
export const PLAIN: Pace = { points: TO_THE_END, fault: null }

export type Move =
  | ({ do: 'pay'; key: number; process: number; card: 'good' | 'declined' } & Pace)
  | ({ do: 'pay_unkeyed'; process: number } & Pace)
  | { do: 'continue'; nth: number; points: number }
  | { do: 'kill' | 'freeze' | 'thaw'; process: number }
  | { do: 'clock'; seconds: number }
  | { do: 'store_clock'; seconds: number }
  | ({ do: 'operate'; verb: 'release' | 'complete' | 'fail'; key: number } & Pace)
  | ({ do: 'refund'; process: number; nth: number; how: RefundHow; amount: number } & Pace)
  | { do: 'dashboard_refund'; nth: number; amount: number }
  | { do: 'bank_fails_refund'; nth: number }
  | ({ do: 'reconcile' } & Pace)
  /** Time passes and runs follow each other until what is open is ripe. */
  | { do: 'ripen' }
  | ({ do: 'propose' | 'approve'; nth: number; by: Account } & Pace)
  | { do: 'console_clock'; seconds: number }

/** A history: everything that happens in it follows from this. */
export type Script = { seed: number; about: 'keys' | 'money'; style: ServiceStyle; moves: Move[] }

const MOVES = { low: 14, high: 34 }

const ABOUT: readonly (readonly [Script['about'], number])[] = [
  ['keys', 3],
  ['money', 1],
]

/** The script of a seed. Each seed draws a world of its own first: few things, often, find more than all things, seldom. */
export function writeScript(seed: number): Script {
  const random = new Prng(`simulation-${seed}`)
  const about = random.pick(ABOUT)
  const style = drawStyle(random)
  const weights = about === 'keys' ? drawKeyWeights(random) : drawMoneyWeights(random)
  const moves = Array.from({ length: random.int(MOVES.low, MOVES.high) }, () => drawMove(random, weights))
  if (about === 'money')
    moves.unshift(...[0, 1].map((key): Move => ({ do: 'pay', key, process: 0, card: 'good', ...PLAIN })))
  return { seed, about, style, moves }
}

function drawStyle(random: Prng): ServiceStyle {
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
      ['before_answer', 3],
    ]),
    swallows: random.next() < 0.15,
    slowBody: random.next() < 0.25,
  }
}

type Weights = readonly (readonly [Move['do'], number])[]

const oftenBy = (random: Prng) => (weight: number, share: number) => (random.next() < share ? weight : 0)

function drawKeyWeights(random: Prng): Weights {
  const often = oftenBy(random)
  return [
    ['pay', 8],
    ['pay_unkeyed', often(1, 0.3)],
    ['continue', 5],
    ['kill', often(1.5, 0.6)],
    ['freeze', often(1, 0.3)],
    ['thaw', 0.7],
    ['clock', 4],
    ['store_clock', often(0.7, 0.2)],
    ['operate', often(4, 0.7)],
  ]
}

function drawMoneyWeights(random: Prng): Weights {
  const often = oftenBy(random)
  return [
    ['pay', 1],
    ['continue', 1.5],
    ['kill', often(0.5, 0.3)],
    ['clock', 1],
    ['console_clock', often(1, 0.25)],
    ['operate', often(1, 0.3)],
    ['refund', often(3, 0.8)],
    ['dashboard_refund', often(2, 0.6)],
    ['bank_fails_refund', often(2, 0.6)],
    ['reconcile', 1],
    ['ripen', 3],
    ['propose', often(4, 0.9)],
    ['approve', 4],
  ]
}

const SECONDS = [
  [2, 2],
  [12, 4],
  [40, 2],
  [90, 3],
  [600, 1],
  [3_700, 1],
] as const

function drawMove(random: Prng, weights: Weights): Move {
  const name = random.pick(weights)
  const key = random.int(0, 2)
  const process = random.int(0, 1)
  switch (name) {
    case 'pay':
      return {
        do: name,
        key,
        process,
        card: random.next() < 0.1 ? 'declined' : 'good',
        ...drawPace(random, 24),
      }
    case 'pay_unkeyed':
      return { do: name, process, ...drawPace(random, 12) }
    case 'continue':
      return { do: name, nth: random.int(0, 3), points: random.next() < 0.4 ? TO_THE_END : random.int(1, 8) }
    case 'clock':
      return { do: name, seconds: random.pick(SECONDS) }
    case 'store_clock':
      return {
        do: name,
        seconds: random.pick([
          [-15, 1],
          [30, 2],
          [0, 1],
        ]),
      }
    case 'operate':
      return {
        ...{
          do: name,
          key,
          verb: random.pick([
            ['release', 3],
            ['complete', 2],
            ['fail', 3],
          ]),
        },
        ...drawPace(random, 60),
      }
    case 'refund':
      return {
        ...{
          do: name,
          process,
          nth: random.int(0, 2),
          amount: random.pick([
            [500, 3],
            [300, 1],
          ]),
        },
        ...{
          how: random.pick([
            ['proper', 3],
            ['provisional', 2],
            ['unsent', 2],
          ]),
          ...drawPace(random, 6, CALM),
        },
      }
    case 'dashboard_refund':
      return {
        do: name,
        nth: random.int(0, 2),
        amount: random.pick([
          [500, 3],
          [300, 1],
        ]),
      }
    case 'ripen':
      return { do: name }
    case 'bank_fails_refund':
      return { do: name, nth: random.int(0, 2) }
    case 'reconcile':
      return { do: name, ...drawPace(random, 200, CALM) }
    case 'propose':
    case 'approve':
      return {
        do: name,
        nth: random.int(0, 1),
        by: ACCOUNTS[random.int(0, 3)] ?? 'ada',
        ...drawPace(random, 120, CALM),
      }
    case 'console_clock':
      return {
        do: name,
        seconds: random.pick([
          [600, 2],
          [-600, 1],
          [0, 2],
        ]),
      }
    default:
      return { do: name, process }
  }
}

/** How often something is stopped on its way, and how often one of its calls goes wrong. */
const ROUGH = { stopped: 0.5, faulty: 0.25 }
const CALM = { stopped: 0.15, faulty: 0.08 }

function drawPace(random: Prng, calls: number, { stopped, faulty } = ROUGH): Pace {
  return {
    points: random.next() < stopped ? random.int(1, calls) : TO_THE_END,
    fault:
      random.next() < faulty
        ? {
            at: random.int(1, calls / 2),
            kind: random.pick([
              ['lost', 2],
              ['unsent', 1],
            ]),
          }
        : null,
  }
}
