import type { Prng } from '@/demo/prng'
import { ACCOUNTS, type Account, FIRST_ACCOUNTS } from '../environment/accounts'
import type { AccountMove } from '../world/accounts'
import type { HoldMove } from '../world/holds'
import type { Weights } from './draw'
import { CALM, drawPace, oftenBy } from './draw-pace'
import type { ABOUT_MORE, Move } from './script'

type MoreMove =
  | Extract<Move, { do: 'pay_new' | 'fail_over_beside_run' | 'flood' | 'charge_twice' | 'settle_prepared' }>
  | { do: 'pass' }
  | AccountMove
  | HoldMove

export function drawMoreWeights(about: (typeof ABOUT_MORE)[number], random: Prng): Weights {
  const often = oftenBy(random)
  switch (about) {
    case 'flood':
      return [
        ['pay', 1],
        ['flood', 3],
        ['charge_twice', 1.5],
        ['continue', 1],
        ['kill', often(0.5, 0.3)],
        ['clock', 1],
        ['dashboard_refund', often(0.5, 0.3)],
        ['reconcile', 1],
        ['ripen', 2],
      ]
    case 'accounts':
      return [...MONEY_OF_ACCOUNTS, ...drawAccountWeights(random)]
    case 'two_phase':
      return [
        ['pay', 1],
        ['pay_new', 3],
        ['ride', often(2, 0.4)],
        ['continue', 5],
        ['settle_prepared', 3],
        ['kill', often(1, 0.5)],
        ['clock', 2],
        ['fail_over', often(0.7, 0.3)],
        ['refund', often(2, 0.5)],
        ['reconcile', 2],
        ['ripen', 3],
      ]
    case 'holds':
      return [
        ['pay', 3],
        ['pay_new', 7],
        ['pay_unkeyed', often(1, 0.3)],
        ['continue', 5],
        ['hold', 3],
        ['lift', often(2, 0.7)],
        ['settle_holds', 0.5],
        ['pass', 5],
        ['kill', often(1, 0.4)],
        ['freeze', often(1, 0.3)],
        ['thaw', 0.7],
        ['copy_store', 0.5],
        ['fail_over', often(1, 0.3)],
      ]
    case 'fail_over':
      return [
        ['pay', 4],
        ['continue', 4],
        ['kill', often(1, 0.3)],
        ['clock', 2],
        ['copy_store', 1.5],
        ['fail_over', 0.5],
        ['fail_over_beside_run', 3],
        ['refund', often(2, 0.4)],
        ['reconcile', 2],
        ['ripen', 1],
      ]
    default:
      return about satisfies never
  }
}

/** Of what is open from the beginning. */
const MONEY_OF_ACCOUNTS: Weights = [
  ['continue', 5],
  ['clock', 0.5],
  ['propose', 7],
  ['decide', 7],
]

function drawAccountWeights(random: Prng): Weights {
  const often = oftenBy(random)
  return [
    ['invite', 0.3],
    ['reset', often(2, 0.7)],
    ['accept', 2],
    ['sign_in', 0.7],
    ['raise', often(3, 0.8)],
    ['confirm', often(2, 0.6)],
    ['lower', often(1, 0.5)],
    ['lock_out', often(2, 0.6)],
    ['let_in', 0.6],
    ['propose_fail', often(1, 0.3)],
  ]
}

const isMoreOf: Record<MoreMove['do'], true> = {
  ...{
    pay_new: true,
    fail_over_beside_run: true,
    flood: true,
    charge_twice: true,
    settle_prepared: true,
    pass: true,
  },
  ...{ hold: true, lift: true, settle_holds: true },
  ...{ invite: true, reset: true, accept: true, sign_in: true, raise: true, confirm: true, lower: true },
  ...{ lock_out: true, let_in: true, propose_fail: true, decide: true },
}
export const isMore = (name: Move['do']): name is MoreMove['do'] => name in isMoreOf

/** Who does what administrators do: now and then somebody who is none. */
const ADMINISTRATORS = [
  ['ada', 3],
  ['bob', 3],
  ['cleo', 3],
  ['carl', 1],
  ['pat', 1],
  ['shadow', 1],
] as const
/** With whose account. */
const SUBJECTS = [
  ['carl', 3],
  ['shadow', 3],
  ['pat', 3],
  ['cleo', 2],
  ['bob', 2],
  ['ada', 2],
] as const
const HELD = [
  ['step', 4],
  ['route', 3],
  ['store', 1],
  ['caller', 1],
  ['key', 1],
] as const
const drawAccount = (random: Prng, of: readonly Account[]): Account =>
  of[random.int(0, of.length - 1)] ?? 'ada'

export function drawMoreMove(
  name: MoreMove['do'],
  { key, process }: { key: number; process: number },
  random: Prng,
): Move {
  const by = random.pick(ADMINISTRATORS)
  const of = random.pick(SUBJECTS)
  const pace = () => drawPace(random, 24, { stopped: 0.3, faulty: 0.08 })
  switch (name) {
    case 'pay_new':
      // Most of it stands still before its effect, if at all.
      return { do: name, process, ...drawPace(random, random.next() < 0.7 ? 8 : 24) }
    case 'fail_over_beside_run':
      return { do: name, toCopy: random.next() < 0.5, points: random.int(1, 250) }
    case 'flood':
      return { do: name, process, ...drawPace(random, 12, CALM) }
    case 'charge_twice':
      return { do: name, nth: random.int(0, 2) }
    case 'settle_prepared':
      return { do: name, nth: random.int(0, 2), commits: random.next() < 0.6 }
    case 'pass':
      return { do: name, seconds: random.int(1, 15) }
    case 'hold': {
      const kind = random.pick(HELD)
      const seconds = random.int(5, 60)
      return {
        do: name,
        kind,
        key,
        by: drawAccount(random, FIRST_ACCOUNTS),
        seconds,
        ...drawPace(random, 20),
      }
    }
    case 'lift':
      return {
        ...{ do: name, nth: random.int(0, 1), by: drawAccount(random, FIRST_ACCOUNTS) },
        ...drawPace(random, 20),
      }
    case 'settle_holds':
      return { do: name, ...drawPace(random, 10, CALM) }
    case 'invite':
      return { do: name, by, ...pace() }
    case 'accept':
      return { do: name, of, who: random.next() < 0.5 ? 'maker' : 'person', ...pace() }
    case 'sign_in':
      return { do: name, of }
    case 'raise':
      return { do: name, by, of, role: random.next() < 0.6 ? 'approver' : 'admin', ...pace() }
    case 'lower':
      return { do: name, by, of, role: random.next() < 0.6 ? 'viewer' : 'approver', ...pace() }
    case 'reset':
    case 'confirm':
    case 'lock_out':
    case 'let_in':
      return { do: name, by, of, ...pace() }
    case 'propose_fail':
      return { do: name, by: drawAccount(random, ACCOUNTS), key, ...drawPace(random, 60, CALM) }
    case 'decide':
      return {
        ...{ do: name, by: drawAccount(random, ACCOUNTS), nth: random.int(0, 2) },
        ...drawPace(random, 120),
      }
    default:
      return name satisfies never
  }
}
