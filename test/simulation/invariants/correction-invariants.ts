import { FIRST_ACCOUNTS, PERSON_OF } from '../environment/accounts'
import type { SentRefund } from '../environment/provider'
import type { World } from '../world/world'
import { Violation } from './violation'

/** What the console does to money: by two people, written down, and never beside money that went out already. */
export async function checkCorrections(world: World): Promise<void> {
  await checkRefunds(world)
  const { rows } = await world.env.db.pool.query(
    `SELECT a.id, a.kind, a.state, a.proposer_id, a.approver_id, e.id IS NOT NULL AS audited FROM action a
     LEFT JOIN audit_entry e ON (e.subject = a.id OR e.after->>'actionId' = a.id) AND e.outcome = a.state`,
  )
  for (const { id, kind, state, proposer_id, approver_id, audited } of rows) {
    const [one, other] = [personOf(world, proposer_id), personOf(world, approver_id)]
    if (other !== undefined && one === other)
      throw new Violation('two people agree', `${one} proposed and approved ${id}`)
    if (!audited && ENDS.includes(state))
      throw new Violation('every action is audited', `${kind} ${id} is ${state}, and no entry says so`)
  }
}

const ENDS = ['done', 'refused', 'failed', 'unknown', 'expired']

async function checkRefunds(world: World): Promise<void> {
  const { sentByConsole } = world.provider
  if (sentByConsole.length === 0) return
  const { rows: cases } = await world.env.db.pool.query(
    `SELECT a.id, c.class, c.object_id FROM action a JOIN reconciliation_case c ON c.id = a.case_id WHERE a.id = ANY ($1)`,
    [sentByConsole.map(({ actionId }) => actionId)],
  )
  const { rows: booked } = await world.env.admin.query(
    'SELECT provider_ref FROM ledger_entry WHERE reversed_at IS NULL',
  )
  for (const sent of sentByConsole) {
    const about = cases.find(({ id }) => id === sent.actionId)
    if (about !== undefined) checkRefund(world, sent, about, new Set(booked.map((row) => row.provider_ref)))
  }
}

function checkRefund(
  world: World,
  { refund, charge, liveBefore, disputesBefore }: SentRefund,
  about: { class: string; object_id: string },
  booked: ReadonlySet<string>,
): void {
  const left = `${refund} of ${charge} left for ${about.class}`
  if (disputesBefore.length > 0)
    throw new Violation('no refund of what a bank claims', `${left}, and ${disputesBefore} stands`)
  // A refund of a duplicate is in no books; one that a refund is sent for again has to be.
  const ours = about.class.startsWith('refund_')
    ? []
    : world.provider.sentByConsole.map((sent) => sent.refund)
  const unexplained = liveBefore.filter((id) => !booked.has(id) && !ours.includes(id))
  if (unexplained.length > 0)
    throw new Violation('no refund beside an unexplained one', `${left}, and ${unexplained} stands`)
  if (!about.class.startsWith('refund_')) return
  const owed = world.owed.of(about.object_id)
  const same = liveBefore.filter((id) => owed?.ids.has(id))
  if (same.length > 0)
    throw new Violation(
      'what is owed is paid once',
      `${left} ${about.object_id}, and ${same} was sent for it`,
    )
  owed?.ids.add(refund)
}

function personOf({ env }: World, userId: string | null): string | undefined {
  const account = FIRST_ACCOUNTS.find((each) => env.accounts[each].userId === userId)
  return account === undefined ? undefined : PERSON_OF[account]
}
