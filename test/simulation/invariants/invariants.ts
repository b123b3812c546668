import type { World } from '../world/world'
import { checkAccounts } from './account-invariants'
import { checkCorrections } from './correction-invariants'
import { checkHolds } from './hold-invariants'
import { Violation } from './violation'

/** What must hold after every move, whoever did what. Throws a Violation. */
export async function checkInvariants(world: World): Promise<void> {
  const booked = await bookedByReference(world)
  oneChargeForOneKey(world)
  if (world.consoleActs) await checkCorrections(world)
  await checkAccounts(world)
  await checkHolds(world)
  const booksWithAnswer = world.script.style.captures !== 'later'
  for (const [key, facts] of world.keys) {
    // Two people agreed in words that this may happen.
    if (world.excepted && facts.mayBeExcepted) continue
    const [first, ...later] = facts.answers
    const other = later.find(({ status, body }) => status !== first?.status || body !== first.body)
    if (first !== undefined && other !== undefined)
      throw new Violation(
        'a key has one answer',
        `${key} answered ${first.status} ${first.body}, then ${other.status} ${other.body}`,
      )
    const failed = facts.failedByOperator || facts.answers.some(({ status }) => status === 410)
    if (failed && chargesOf(world, key).length > 0 && !world.chargedTwice.has(key))
      throw new Violation(
        'failed means not charged',
        `${key} was told that it failed, and ${chargesOf(world, key)} stands`,
      )
    const times = booked.get(key) ?? 0
    if (times > 1) throw new Violation('work is done once', `${key} is booked ${times} times`)
    if (world.prepared.isDecided(key)) continue
    if (first?.status === 201 && times === 0 && !facts.completedByOperator && booksWithAnswer)
      throw new Violation('what was confirmed is there', `${key} was answered 201 and is not booked`)
  }
  for (const { reference, status } of world.unkeyed) {
    if (status === 201 && !booked.has(reference) && booksWithAnswer)
      throw new Violation('what was confirmed is there', `${reference} was answered 201 and is not booked`)
  }
}

/** A charge says in its description whose it is: the console does not read that. */
const chargesOf = (world: World, key: string): string[] =>
  world.provider
    .liveCharges()
    .filter(({ description }) => description === key)
    .map(({ id }) => id)

function oneChargeForOneKey(world: World): void {
  for (const key of world.keys.keys()) {
    const charges = chargesOf(world, key)
    if (charges.length > 1 && !world.chargedTwice.has(key))
      throw new Violation('one charge for one key', `${key} is charged by ${charges.join(' and ')}`)
  }
}

async function bookedByReference({ env }: World): Promise<Map<string, number>> {
  const { rows } = await env.admin.query(
    `SELECT reference, count(*)::int AS times FROM ledger_entry WHERE entry_kind = 'charge' AND reversed_at IS NULL GROUP BY 1
     UNION ALL SELECT reference, count(*)::int FROM ride GROUP BY 1`,
  )
  return new Map(rows.map(({ reference, times }) => [reference, times]))
}
