import type { Prng } from '@/demo/prng'
import { ACCOUNTS } from '../environment/accounts'
import type { Policy } from '../world/retention'
import type { ServiceStyle } from '../world/service'
import { drawMoreMove, drawMoreWeights, isMore } from './draw-more'
import { CALM, drawPace, oftenBy } from './draw-pace'
import { type About, type Move, TO_THE_END } from './script'

export type Weights = readonly (readonly [Move['do'], number])[]

export function drawWeights(about: About, { captures }: ServiceStyle, random: Prng): Weights {
  switch (about) {
    case 'keys':
      return drawKeyWeights(random)
    case 'money':
      return [...drawMoneyWeights(random), ...CAPTURE_WEIGHTS[captures]]
    case 'feeds':
      return [...drawFeedWeights(random), ...CAPTURE_WEIGHTS[captures]]
    case 'retention':
      return drawRetentionWeights(random)
    case 'fail_over':
      return [...drawMoreWeights(about, random), ...CAPTURE_WEIGHTS[captures]]
    default:
      return drawMoreWeights(about, random)
  }
}

const CAPTURE_WEIGHTS: Record<ServiceStyle['captures'], Weights> = {
  at_once: [],
  async: [['settle_charge', 2]],
  later: [
    ['pay', 2],
    ['capture', 4],
    ['release', 1],
  ],
}

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
    ['copy_store', 0.5],
    ['fail_over', often(1, 0.3)],
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
    ['send_again', often(1.5, 0.4)],
    ['dispute', often(1, 0.4)],
    ['decide_dispute', 0.4],
    ['reconcile', 1],
    ['ripen', 3],
    ['propose', often(4, 0.9)],
    ['approve', 4],
  ]
}

/** Payments and bookings that stop on their way, while runs follow each other. */
function drawFeedWeights(random: Prng): Weights {
  const often = oftenBy(random)
  return [
    ['pay', 4],
    ['pay_unkeyed', often(0.5, 0.3)],
    ['continue', 4],
    ['kill', often(1, 0.5)],
    ['clock', 2],
    ['console_clock', often(1.5, 0.4)],
    ['store_clock', often(0.7, 0.2)],
    ['refund', often(2, 0.5)],
    ['reconcile', 2],
    ['ripen', 3],
  ]
}

function drawRetentionWeights(random: Prng): Weights {
  const often = oftenBy(random)
  return [
    ['pay', often(1.5, 0.5)],
    ['ride', 6],
    ['continue', 2],
    ['kill', often(0.7, 0.4)],
    ['clock', 4],
    ['policy', 3],
    ['collect', 4],
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

/** `accounts`: how many of them act. */
export function drawMove(random: Prng, weights: Weights, accounts = 4): Move {
  const name = random.pick(weights)
  const key = random.int(0, 2)
  const process = random.int(0, 1)
  if (isMore(name)) return drawMoreMove(name, { key, process }, random)
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
    case 'copy_store':
      return { do: name }
    case 'fail_over':
      return { do: name, toCopy: random.next() < 0.6 }
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
            ['proper', 2],
            ['slow', 1],
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
    case 'send_again':
      return {
        ...{ do: name, process, nth: random.int(0, 1), books: random.next() < 0.6 },
        ...{ by: random.next() < 0.5 ? 'service' : 'support', ...drawPace(random, 6, CALM) },
      }
    case 'dispute': {
      const amount = random.pick([
        [1050, 2],
        [500, 1],
      ])
      return { do: name, nth: random.int(0, 2), amount, inquiry: random.next() < 0.2 }
    }
    case 'decide_dispute':
      return { do: name, nth: random.int(0, 1), status: random.next() < 0.5 ? 'won' : 'lost' }
    case 'ride':
      return { do: name, key, process, ...drawPace(random, 12) }
    case 'policy':
      return { do: name, ...drawPolicy(random), ...drawPace(random, 40, CALM) }
    case 'collect':
      return { do: name, store: random.next() < 0.8 ? 'rides' : 'store', ...drawPace(random, 30, CALM) }
    case 'capture':
      return {
        ...{ do: name, process, nth: random.int(0, 2), part: random.next() < 0.5 },
        ...{ older: random.next() < 0.5, ...drawPace(random, 6, CALM) },
      }
    case 'release':
      return { do: name, nth: random.int(0, 2), older: random.next() < 0.5 }
    case 'settle_charge':
      return { do: name, nth: random.int(0, 2) }
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
        by: ACCOUNTS[random.int(0, accounts - 1)] ?? 'ada',
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

const drawPolicy = (random: Prng): Policy => ({
  store: random.next() < 0.8 ? 'rides' : 'store',
  ttlS: random.pick([
    [60, 3],
    [600, 2],
    [3_600, 1],
  ]),
  how: random.pick([
    ['plain', 3],
    ['old', 1],
    ['excepted', 1],
  ]),
  by: ACCOUNTS[random.int(0, 3)] ?? 'ada',
  agreedBy: random.next() < 0.5 ? 'pat' : (ACCOUNTS[random.int(0, 3)] ?? 'bob'),
})
