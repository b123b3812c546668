import type { ShownAs } from '../../truth'
import type { FaultScript } from '../faults/stage'
import { consumerKilledAfterEffect, consumerKilledBeforeEffect } from './consumer-killed'
import { mailAnswerLost } from './mail-answer-lost'
import { outOfOrderCommit } from './out-of-order-commit'
import { poisonMessage } from './poison-message'
import { redeliveredAfterExpiry } from './redelivered-after-expiry'
import { relayKilled } from './relay-killed'

/** Every fault of messages, with the class that the console must report and what else it shows. They take turns beside the others. */
export const messageFaults = {
  relay_killed: { class: 'none', shownAs: 'redelivery', run: relayKilled },
  consumer_killed_before_effect: {
    class: 'stuck_no_effect',
    shownAs: 'dead_letter',
    run: consumerKilledBeforeEffect,
  },
  consumer_killed_after_effect: {
    class: 'stuck_unknown',
    shownAs: 'dead_letter',
    run: consumerKilledAfterEffect,
  },
  mail_answer_lost: { class: 'stuck_unknown', shownAs: 'dead_letter', run: mailAnswerLost },
  poison_message: { class: 'none', shownAs: 'dead_letter', run: poisonMessage },
  redelivered_after_expiry: { class: 'none', shownAs: 'duplicate_effect', run: redeliveredAfterExpiry },
  out_of_order_commit: { class: 'none', run: outOfOrderCommit },
} as const satisfies Record<string, { class: string; shownAs?: ShownAs; run: FaultScript }>
