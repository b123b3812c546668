import { acceptInvitation } from '@/lib/access/accounts/accept-invitation'
import { confirmAccount } from '@/lib/access/accounts/confirm'
import { invite, inviteAgain } from '@/lib/access/accounts/invite'
import { lowerRole } from '@/lib/access/lower-role'
import { setBanned } from '@/lib/access/set-banned'
import { endOpenRequests } from '@/lib/actions/end-open-requests'
import { approveRoleRaise, proposeRoleRaise } from '@/lib/actions/role-raise'
import { ROLE_ACTION_KIND } from '@/lib/core/states'
import { approveFail } from '@/lib/locks/fail/decide'
import { approve } from '@/lib/reconcile/corrections/approve'
import { PASSWORD, REASON } from '../../access/people'
import { type Account, PERSON_OF } from '../environment/accounts'
import type { Pace } from '../scripts/script'
import { KEY_SETTINGS, operate } from './operator'
import { RECONCILE_SETTINGS } from './reconciliation'
import type { World } from './world'

export type AccountMove =
  /** An administrator makes an account for Carl, and has its link. */
  | ({ do: 'invite'; by: Account } & Pace)
  /** An administrator makes another link of an account. */
  | ({ do: 'reset'; by: Account; of: Account } & Pace)
  /** The link is used: by whoever made it, or by the account's own person, who was given it. */
  | ({ do: 'accept'; of: Account; who: 'maker' | 'person' } & Pace)
  | { do: 'sign_in'; of: Account }
  | ({ do: 'raise'; by: Account; of: Account; role: 'approver' | 'admin' } & Pace)
  /** An administrator says who uses the account: they are not deceived. */
  | ({ do: 'confirm'; by: Account; of: Account } & Pace)
  | ({ do: 'lower'; by: Account; of: Account; role: 'viewer' | 'approver' } & Pace)
  | ({ do: 'lock_out' | 'let_in'; by: Account; of: Account } & Pace)
  /** Somebody proposes that a key has failed. */
  | ({ do: 'propose_fail'; by: Account; key: number } & Pace)
  /** Somebody approves a proposal of whatever kind. */
  | ({ do: 'decide'; by: Account; nth: number } & Pace)

export async function performOfAccounts(world: World, move: AccountMove): Promise<void> {
  if (move.do === 'sign_in') return world.hands?.signIn(world.env.db, move.of)
  const { of = 'carl' } = { of: undefined, ...move }
  const who = 'by' in move ? move.by : move.who
  return world.run(`${who} wants to ${move.do} ${of}`, world.console, move, async () => {
    await act(world, move)
    world.notes.push(`${who}: ${move.do} ${of} is done`)
  })
}

async function act(world: World, move: Exclude<AccountMove, { do: 'sign_in' }>): Promise<void> {
  const { hands } = world
  if (hands === null) return
  if (move.do === 'accept') return accept(world, move)
  const ctx = world.as(move.by)
  switch (move.do) {
    case 'invite': {
      const invited = await invite(ctx, { email: 'carl@test.local', name: 'Carl', reason: REASON })
      return hands.giveLink('carl', invited.secret, move.by)
    }
    case 'reset': {
      const invited = await inviteAgain(ctx, { userId: hands.idOf(move.of), reason: REASON })
      return hands.giveLink(move.of, invited.secret, move.by)
    }
    case 'raise':
      await proposeRoleRaise(ctx, { userId: hands.idOf(move.of), role: move.role, reason: REASON })
      return
    case 'confirm': {
      if (hands.passwordOf(move.of) !== REAL_PERSON_OF[move.of]) return
      const { confirmCode: code } = await ctx.db.prisma.user.findUniqueOrThrow({
        where: { id: hands.idOf(move.of) },
      })
      return confirmAccount(ctx, { userId: hands.idOf(move.of), code: code ?? '', reason: REASON })
    }
    case 'lower':
      return lowerRole(ctx, { userId: hands.idOf(move.of), role: move.role, reason: REASON })
    case 'lock_out':
    case 'let_in': {
      const banned = move.do === 'lock_out'
      return setBanned(ctx, { userId: hands.idOf(move.of), banned, reason: REASON })
    }
    case 'propose_fail':
      return operate(world, 'fail', world.keyName(move.key), { by: move.by, agrees: false })
    case 'decide':
      return decide(world, ctx, move.nth)
    default:
      return move satisfies never
  }
}

/** Whose an account should be: nobody is called Shadow, until somebody of that name is given the account. */
export const REAL_PERSON_OF: Record<Account, string> = { ...PERSON_OF, shadow: 'Shadow' }

async function accept(world: World, { of, who }: Extract<AccountMove, { do: 'accept' }>): Promise<void> {
  const link = world.hands?.linkOf(of)
  if (link === undefined) return
  const { db, clock } = world.env.system
  await acceptInvitation({ db, clock, endOpenRequests }, { secret: link.secret, password: PASSWORD })
  world.hands?.accepted(of, who === 'maker' ? link.maker : REAL_PERSON_OF[of])
  await world.hands?.signIn(db, of)
}

async function decide(world: World, ctx: ReturnType<World['as']>, nth: number): Promise<void> {
  const waiting = await ctx.db.prisma.action.findMany({
    where: { state: 'proposed' },
    orderBy: [{ createdAt: 'asc' }, { kind: 'asc' }, { charge: 'asc' }],
  })
  const action = waiting[nth % Math.max(1, waiting.length)]
  if (action === undefined) return
  const input = { actionId: action.id, evidenceHash: action.evidenceHash ?? '' }
  if (action.kind === ROLE_ACTION_KIND) await approveRoleRaise(ctx, input)
  else if (action.kind === 'fail') {
    const { state } = await approveFail(ctx, input, { settings: KEY_SETTINGS })
    world.factsOf(action.key ?? '').failedByOperator ||= state === 'done'
  } else await approve(ctx, input, RECONCILE_SETTINGS)
}
