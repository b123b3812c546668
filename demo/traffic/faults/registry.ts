import type { ShownAs } from '../../truth'
import { messageFaults } from '../message-faults/registry'
import { expiredKeyRetry } from './expired-key-retry'
import { failedAfterPosting, refundFailed } from './failed-after-posting'
import { hungBeforeEffect } from './hung-before-effect'
import { keyReused } from './key-reused'
import { killedAfterAnswer } from './killed-after-answer'
import { killedBeforeEffect } from './killed-before-effect'
import { ledgerLost, wrongAmountBooked } from './ledger-slips'
import { newKeySameReference } from './new-key-same-reference'
import { refundNotBooked } from './refund-not-booked'
import { responseLost } from './response-lost'
import { secondPurchase } from './second-purchase'
import type { FaultScript } from './stage'
import { stoppedAndTakenOver, stoppedOnLegacyRoute } from './stopped-and-taken-over'
import { storeBypassed } from './store-bypassed'

/** Every fault of payments, with the class that the console must report once quiet. Faults take turns in this order. */
export const faults = {
  response_lost: { class: 'none', run: responseLost },
  killed_before_effect: { class: 'none', run: killedBeforeEffect },
  stopped_and_taken_over: { class: 'none', run: stoppedAndTakenOver },
  stopped_on_legacy_route: { class: 'duplicate_same_key', run: stoppedOnLegacyRoute },
  second_purchase: { class: 'none', run: secondPurchase },
  killed_after_answer: { class: 'stuck_effect_done', run: killedAfterAnswer },
  hung_before_effect: { class: 'stuck_no_effect', run: hungBeforeEffect },
  new_key_same_reference: { class: 'duplicate_semantic', run: newKeySameReference },
  expired_key_retry: { class: 'expired_key_retry', run: expiredKeyRetry },
  key_reused: { class: 'key_reuse_mismatch', run: keyReused },
  store_bypassed: { class: 'orphan_effect', run: storeBypassed },
  ledger_lost: { class: 'ledger_missing', run: ledgerLost },
  wrong_amount_booked: { class: 'amount_mismatch', run: wrongAmountBooked },
  failed_after_posting: { class: 'reversed_after_post', run: failedAfterPosting },
  refund_not_booked: { class: 'refund_unbooked', run: refundNotBooked },
  refund_failed: { class: 'refund_failed', run: refundFailed },
} as const satisfies Record<string, { class: string; run: FaultScript }>

export type PaymentFault = keyof typeof faults
export type MessageFault = keyof typeof messageFaults
export type FaultName = PaymentFault | MessageFault

export const faultNames = Object.keys(faults) as PaymentFault[]
export const messageFaultNames = Object.keys(messageFaults) as MessageFault[]

/** What a fault's name stands for. */
export const faultOf = (
  name: FaultName,
): { class: string; shownAs?: ShownAs | undefined; run: FaultScript } =>
  ({ ...faults, ...messageFaults })[name]

/** Those that take turns. Those of messages have turns of their own, so that the others stay where they are. */
export interface TakingTurns {
  readonly faults: readonly PaymentFault[]
  readonly messageFaults: readonly MessageFault[]
}

/** The one of a name, or all where none is given. */
export function faultsNamed(name: string): TakingTurns {
  if (name === '') return { faults: faultNames, messageFaults: messageFaultNames }
  const chosen = {
    faults: faultNames.filter((each) => each === name),
    messageFaults: messageFaultNames.filter((each) => each === name),
  }
  if (chosen.faults.length + chosen.messageFaults.length > 0) return chosen
  throw new Error(`there is no fault ${name}; there are ${[...faultNames, ...messageFaultNames].join(', ')}`)
}
