import type { Account } from '../environment/accounts'
import type { Fault } from '../environment/strands'
import type { AccountMove } from '../world/accounts'
import type { HoldMove } from '../world/holds'
import type { RefundHow } from '../world/money'
import type { Policy } from '../world/retention'
import type { ServiceStyle } from '../world/service'

/** How far something gets before the next move begins, and which of its calls goes wrong. */
export type Pace = { points: number; fault: Fault | null }
/** Further than anything has calls. */
export const TO_THE_END = 10_000
export const PLAIN: Pace = { points: TO_THE_END, fault: null }

export type Move =
  | ({ do: 'pay'; key: number; process: number; card: 'good' | 'declined' } & Pace)
  /** Under a key that nobody has used. */
  | ({ do: 'pay_new'; process: number } & Pace)
  | ({ do: 'pay_unkeyed'; process: number } & Pace)
  | { do: 'continue'; nth: number; points: number }
  | { do: 'kill' | 'freeze' | 'thaw'; process: number }
  | { do: 'clock' | 'pass'; seconds: number }
  | { do: 'store_clock'; seconds: number }
  /** The service's database is copied, as to a standby. */
  | { do: 'copy_store' }
  /** It fails over: to that copy, or to a standby that has everything. */
  | { do: 'fail_over'; toCopy: boolean }
  /** The same while a run is under way, which goes on then. */
  | { do: 'fail_over_beside_run'; toCopy: boolean; points: number }
  | ({ do: 'operate'; verb: 'release' | 'complete' | 'fail'; key: number } & Pace)
  | ({ do: 'refund'; process: number; nth: number; how: RefundHow; amount: number } & Pace)
  | { do: 'dashboard_refund'; nth: number; amount: number }
  | { do: 'bank_fails_refund'; nth: number }
  | ({ do: 'send_again'; process: number; nth: number; by: 'service' | 'support'; books: boolean } & Pace)
  | { do: 'dispute'; nth: number; amount: number; inquiry: boolean }
  | ({ do: 'capture'; process: number; nth: number; part: boolean; older: boolean } & Pace)
  /** An authorisation runs out. */
  | { do: 'release'; nth: number; older: boolean }
  | { do: 'settle_charge'; nth: number }
  | { do: 'decide_dispute'; nth: number; status: 'won' | 'lost' }
  | ({ do: 'ride'; key: number; process: number } & Pace)
  | ({ do: 'policy' } & Policy & Pace)
  | ({ do: 'collect'; store: Policy['store'] } & Pace)
  | ({ do: 'reconcile' } & Pace)
  /** Time passes and runs follow each other until what is open is ripe. */
  | { do: 'ripen' }
  | ({ do: 'propose' | 'approve'; nth: number; by: Account } & Pace)
  | { do: 'console_clock'; seconds: number }
  /** A client sends every key again, each with another body. */
  | ({ do: 'flood'; process: number } & Pace)
  /** The service charges a customer once more under the same key. */
  | { do: 'charge_twice'; nth: number }
  /** The coordinator ends a prepared transaction: one that was decided on is committed. */
  | { do: 'settle_prepared'; nth: number; commits: boolean }
  | HoldMove
  | AccountMove

/** A history: everything that happens in it follows from this. */
export type Script = { seed: number; about: About; style: ServiceStyle; moves: Move[] }
/** What the first history of a seed can be about, and the second one of some. */
export const ABOUT = ['keys', 'money', 'feeds', 'retention'] as const
export const ABOUT_MORE = ['flood', 'accounts', 'two_phase', 'holds', 'fail_over'] as const
export type About = (typeof ABOUT)[number] | (typeof ABOUT_MORE)[number]
