import type { AccountMove } from '../world/accounts'
import { type Move, type Pace, type Script, TO_THE_END } from './script'

/** A script as somebody would tell it. */
export function describeScript({ seed, about, style, moves }: Script): string {
  const traits = [
    `tags ${style.tags === 'none' ? 'nothing' : `the ${style.tags}`}`,
    `keeps the ${style.keeps}'s id`,
    `books ${style.books.replaceAll('_', ' ')}`,
    ...(style.captures === 'at_once' ? [] : [CAPTURES[style.captures]]),
    ...(style.fees === 'none' ? [] : [`books ${style.fees} fees`]),
    ...(style.swallows ? ['swallows an error of its transaction'] : []),
    ...(style.slowBooking ? ['thinks before it commits a booking'] : []),
    ...(style.slowBody ? ['answers with a slow body'] : []),
  ]
  const lines = moves.map((move, place) => `  ${place + 1}. ${describeMove(move)}`)
  return [`seed ${seed} (${about}): a service that ${traits.join(', ')}`, ...lines].join('\n')
}

const CAPTURES = { async: 'is settled later by its provider', later: 'authorises first and captures later' }

function describeMove(move: Move): string {
  switch (move.do) {
    case 'pay': {
      const card = move.card === 'good' ? '' : ' with a card that is declined'
      return `service ${move.process} is asked to pay key ${move.key}${card}${pace(move)}`
    }
    case 'pay_new':
      return `service ${move.process} is asked to pay a new key${pace(move)}`
    case 'pay_unkeyed':
      return `service ${move.process} is asked to pay without a key${pace(move)}`
    case 'continue':
      return `what waits as number ${move.nth} goes on${far(move.points)}`
    case 'kill':
      return `service ${move.process} is killed and started anew`
    case 'freeze':
      return `service ${move.process} stands still`
    case 'thaw':
      return `service ${move.process} goes on`
    case 'clock':
    case 'pass':
      return `${move.seconds} s pass`
    case 'store_clock':
      return `the store's clock is ${move.seconds} s ahead`
    case 'copy_store':
      return 'the store is copied to a standby'
    case 'fail_over':
      return failsOver(move)
    case 'fail_over_beside_run':
      return `${failsOver(move)} when a run has come ${move.points} points far`
    case 'console_clock':
      return `the console's clock is ${move.seconds} s ahead`
    case 'operate':
      return `an operator wants to ${move.verb} key ${move.key}${pace(move)}`
    case 'refund':
      return `service ${move.process} refunds ${move.amount} of charge ${move.nth}, ${move.how}${pace(move)}`
    case 'dashboard_refund':
      return `support refunds ${move.amount} of charge ${move.nth} at the provider's dashboard`
    case 'bank_fails_refund':
      return `a bank sends back refund ${move.nth}`
    case 'send_again': {
      const who = move.by === 'support' ? 'support' : `service ${move.process}`
      const booking = move.by === 'service' && move.books ? ' and books it' : ''
      return `${who} sends the failed refund ${move.nth} again${booking}${move.by === 'service' ? pace(move) : ''}`
    }
    case 'dispute':
      return `a bank ${move.inquiry ? 'asks about' : 'claims'} ${move.amount} of charge ${move.nth}`
    case 'capture': {
      const older = move.older ? ', by an older API' : ''
      return `service ${move.process} captures ${move.part ? 'a part' : 'all'} of authorisation ${move.nth}${older}${pace(move)}`
    }
    case 'release':
      return `authorisation ${move.nth} runs out${move.older ? ', by an older API' : ''}`
    case 'settle_charge':
      return `the provider settles charge ${move.nth} of those that wait for it`
    case 'decide_dispute':
      return `dispute ${move.nth} is ${move.status}`
    case 'ride':
      return `service ${move.process} is asked to book ride ${move.key}${pace(move)}`
    case 'policy':
      return `${move.by} and ${move.agreedBy} let keys of ${move.store} go after ${move.ttlS} s (${move.how})${pace(move)}`
    case 'collect':
      return `keys of ${move.store} are collected${pace(move)}`
    case 'reconcile':
      return `a run reconciles${pace(move)}`
    case 'ripen':
      return 'time passes and two runs reconcile'
    case 'propose':
      return `${move.by} proposes a correction of case ${move.nth}${pace(move)}`
    case 'approve':
      return `${move.by} approves proposal ${move.nth}${pace(move)}`
    case 'flood':
      return `a client sends every key to service ${move.process} again with another body${pace(move)}`
    case 'charge_twice':
      return `the service charges once more for charge ${move.nth}`
    case 'settle_prepared':
      return `the coordinator ${move.commits ? 'commits' : 'ends'} prepared transaction ${move.nth}`
    case 'hold': {
      const what = move.kind === 'key' ? `key ${move.key}` : `the ${move.kind}`
      return `${move.by} holds ${what} for ${move.seconds} s${pace(move)}`
    }
    case 'lift':
      return `${move.by} lifts hold ${move.nth}${pace(move)}`
    case 'settle_holds':
      return `it is settled what became of holds${pace(move)}`
    default:
      return describeAccountMove(move)
  }
}

const failsOver = ({ toCopy }: { toCopy: boolean }): string =>
  `the store fails over to ${toCopy ? 'what was last copied' : 'a standby that has everything'}`

function describeAccountMove(move: AccountMove): string {
  switch (move.do) {
    case 'invite':
      return `${move.by} invites Carl and has the link${pace(move)}`
    case 'reset':
      return `${move.by} makes another link of ${move.of}${pace(move)}`
    case 'accept':
      return `the link of ${move.of} is used by its ${move.who}${pace(move)}`
    case 'sign_in':
      return `somebody signs in as ${move.of}`
    case 'raise':
      return `${move.by} proposes that ${move.of} is ${move.role}${pace(move)}`
    case 'confirm':
      return `${move.by} confirms who uses ${move.of}${pace(move)}`
    case 'lower':
      return `${move.by} lowers ${move.of} to ${move.role}${pace(move)}`
    case 'lock_out':
      return `${move.by} locks ${move.of} out${pace(move)}`
    case 'let_in':
      return `${move.by} lets ${move.of} in${pace(move)}`
    case 'propose_fail':
      return `${move.by} proposes that key ${move.key} has failed${pace(move)}`
    case 'decide':
      return `${move.by} approves what waits as number ${move.nth}${pace(move)}`
    default:
      return move satisfies never
  }
}

const far = (points: number): string => (points >= TO_THE_END ? '' : ` for ${points} points`)

function pace({ points, fault }: Pace): string {
  const wrong =
    fault === null
      ? ''
      : `; call ${fault.at} ${fault.kind === 'lost' ? 'is done and its answer lost' : 'never arrives'}`
  return `${points >= TO_THE_END ? '' : `, stops after ${points} points`}${wrong}`
}
