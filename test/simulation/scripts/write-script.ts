import { Prng } from '@/demo/prng'
import { ACCOUNTS } from '../environment/accounts'
import type { ServiceStyle } from '../world/service'
import { drawMove, drawWeights } from './draw'
import { ABOUT_MORE, type About, type Move, PLAIN, type Script } from './script'

const MOVES = { low: 14, high: 34 }

const SUBJECTS: readonly (readonly [About, number])[] = [
  ['keys', 5],
  ['money', 3],
  ['feeds', 2],
  ['retention', 2],
]
const MORE_SUBJECTS = ABOUT_MORE.map((about) => [about, 1] as const)

/** Each fifth seed has a second history, from a stream of its own: the first ones stay what they are. */
const SECOND_EVERY = 5

/** The histories of a seed. */
export const writeScripts = (seed: number): Script[] =>
  seed % SECOND_EVERY === 0 ? [writeScript(seed), writeSecondScript(seed)] : [writeScript(seed)]

/** Each script draws a world of its own first: few things, often, find more than all things, seldom. */
export function writeScript(seed: number): Script {
  const random = new Prng(`simulation-${seed}`)
  return drawScript(seed, random.pick(SUBJECTS), random)
}

export function writeSecondScript(seed: number): Script {
  const random = new Prng(`simulation-${seed}-second`)
  return drawScript(seed, random.pick(MORE_SUBJECTS), random)
}

function drawScript(seed: number, about: About, random: Prng): Script {
  const style = drawStyle(about, random)
  const weights = drawWeights(about, style, random)
  const isOfAccounts = about === 'accounts'
  const accounts = isOfAccounts ? ACCOUNTS.length : undefined
  // What people click costs little beside what they look at.
  const length = random.int(MOVES.low, MOVES.high) * (isOfAccounts ? 2 : 1)
  const moves = Array.from({ length }, () => drawMove(random, weights, accounts))
  moves.unshift(...BEGINNINGS[about])
  moves.push(...(ENDINGS[about] ?? []))
  return { seed, about, style, moves }
}

const paid = (keys: number): Move[] =>
  Array.from({ length: keys }, (_, key): Move => ({ do: 'pay', key, process: 0, card: 'good', ...PLAIN }))
const BEGINNINGS: Record<About, readonly Move[]> = {
  keys: [],
  money: paid(2),
  feeds: paid(2),
  retention: [],
  flood: paid(3),
  accounts: [
    ...paid(3),
    ...[0, 1, 2].map(
      (nth): Move => ({ do: 'refund', process: 0, nth, amount: 500, how: 'unsent', ...PLAIN }),
    ),
    { do: 'ripen' },
    { do: 'invite', by: 'ada', ...PLAIN },
    { do: 'pay', key: 3, process: 1, card: 'good', points: 9, fault: null },
    { do: 'kill', process: 1 },
  ],
  two_phase: paid(1),
  holds: paid(1),
  fail_over: paid(2),
}
/** Holds have ended; prepared transactions are ended, and whatever is open is ripe. */
const ENDINGS: Partial<Record<About, readonly Move[]>> = {
  flood: [{ do: 'clock', seconds: 160 }, { do: 'ripen' }],
  two_phase: [
    ...[0, 1, 2].map((): Move => ({ do: 'settle_prepared', nth: 0, commits: true })),
    ...[{ do: 'clock', seconds: 160 } as const, { do: 'ripen' } as const],
  ],
  holds: [{ do: 'pass', seconds: 62 }, ...paid(3)],
  fail_over: [{ do: 'clock', seconds: 160 }, { do: 'ripen' }],
}

/** What is taken when, and which fees are booked, concerns what runs compare, and no key. */
const COMPARED: readonly About[] = ['money', 'feeds', 'fail_over']

function drawStyle(about: About, random: Prng): ServiceStyle {
  const isCompared = COMPARED.includes(about)
  const style: ServiceStyle = {
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
  return about === 'two_phase' ? { ...style, books: 'two_phase' } : style
}
