import { headers } from 'next/headers'
import { services } from '@/app/_server/services'
import { readAccounts, readOwnCode } from '@/lib/access/accounts/read-accounts'
import { listTokens } from '@/lib/access/list-tokens'
import { readSession } from '@/lib/access/session-actor'
import { listSessions } from '@/lib/access/sessions'
import { listUsers } from '@/lib/access/users'
import type { KillSwitch } from '@/lib/actions/kill-switch'
import { listActions } from '@/lib/actions/read'
import { namesOf } from '@/lib/core/names'
import { ROLE_ACTION_KIND } from '@/lib/core/states'
import { readTraceLink } from '@/lib/telemetry/trace-link'
import type { OpenedPage } from '../_page/open-page'
import { killSwitchNow } from '../_shell/reads'

const RAISES_SHOWN = 20

/** All that the page shows, each of its cards a part of it. */
export type SettingsData = Awaited<ReturnType<typeof readSettingsPage>>

export type User = SettingsData['users'][number]

export async function readSettingsPage(opened: OpenedPage) {
  const { ctx, me, now } = opened
  const { db } = ctx
  const session = await readSession(services().auth, await headers())
  const sessionId = session?.sessionId ?? ''
  const [killSwitch, users, accounts, raises, tokens, code, sessions, traceLink] = await Promise.all([
    killSwitchNow(),
    listUsers(db),
    readAccounts(db, now),
    listActions(db, { kind: [ROLE_ACTION_KIND], state: ['proposed'] }, { limit: RAISES_SHOWN }),
    listTokens(db, me, now),
    readOwnCode(db, me),
    listSessions(db, { userId: me, ownId: sessionId }, now),
    readTraceLink(db),
  ])
  return {
    ...opened,
    killSwitch: { ...killSwitch, pending: stillOpen(killSwitch.pending, now) },
    users,
    people: namesOf(users),
    accounts,
    raises: raises.items,
    tokens,
    code,
    sessions,
    /** The one that looks at this. */
    sessionId,
    traceLink,
  }
}

/** What was asked for too long ago has to be asked for again. */
const stillOpen = (pending: KillSwitch['pending'], now: Date): KillSwitch['pending'] =>
  pending !== null && new Date(pending.expiresAt) > now ? pending : null
