import type { Metadata } from 'next'
import { headers } from 'next/headers'
import { services } from '@/app/_server/services'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import { TextField } from '@/app/_ui/field'
import { readAccounts, readOwnCode } from '@/lib/access/accounts/read-accounts'
import { listTokens } from '@/lib/access/list-tokens'
import { readSession } from '@/lib/access/session-actor'
import { listSessions } from '@/lib/access/sessions'
import { listUsers } from '@/lib/access/users'
import type { KillSwitch } from '@/lib/actions/kill-switch'
import { listActions } from '@/lib/actions/read'
import { roleAllows } from '@/lib/core/permissions'
import { ROLE_ACTION_KIND } from '@/lib/core/states'
import { readTraceLink } from '@/lib/telemetry/trace-link'
import { openPage, type PageProps } from '../_page/open-page'
import { Page, TwoColumns } from '../_page/page-frame'
import { killSwitchNow } from '../_shell/reads'
import { AccountCard, TokensCard } from './account-card'
import { saveTraceLink } from './actions'
import { KillSwitchCard } from './kill-switch-card'
import { RolesCard } from './roles-card'
import { UsersCard } from './users-card'

export const metadata: Metadata = { title: 'Settings' }

const RAISES_SHOWN = 20

export default async function SettingsPage(props: PageProps) {
  const { ctx, now, place, forbid } = await openPage('/settings', props)
  const { db, actor } = ctx
  const session = await readSession(services().auth, await headers())
  const sessionId = session?.sessionId ?? ''
  const [killSwitch, users, accounts, raises, tokens, code, sessions, template] = await Promise.all([
    killSwitchNow(),
    listUsers(db),
    readAccounts(db, now),
    listActions(db, { kind: [ROLE_ACTION_KIND], state: ['proposed'] }, { limit: RAISES_SHOWN }),
    listTokens(db, actor.userId, now),
    readOwnCode(db, actor.userId),
    listSessions(db, { userId: actor.userId, ownId: sessionId }, now),
    readTraceLink(db),
  ])
  return (
    <Page title="Settings" summary={`You are ${actor.name}, ${actor.role}.`}>
      <KillSwitchCard
        state={{ ...killSwitch, pending: stillOpen(killSwitch.pending, now) }}
        forbidden={forbid('kill_switch.set')}
        me={{ id: actor.userId, alone: roleAllows(actor.role, 'user.manage') }}
        place={place}
      />
      <TwoColumns>
        <div className="grid min-w-0 gap-3">
          <UsersCard
            users={users}
            accounts={accounts}
            raises={raises.items}
            me={actor.userId}
            forbidden={forbid('user.manage')}
            place={place}
          />
          <AccountCard code={code} sessions={sessions} sessionId={sessionId} />
          <TokensCard tokens={tokens} />
          <TraceLinkCard template={template} forbidden={forbid('source.manage')} />
        </div>
        <RolesCard />
      </TwoColumns>
    </Page>
  )
}

/** What was asked for too long ago has to be asked for again. */
const stillOpen = (pending: KillSwitch['pending'], now: Date): KillSwitch['pending'] =>
  pending !== null && new Date(pending.expiresAt) > now ? pending : null

/** Where else a trace can be looked at. */
function TraceLinkCard(props: { template: string | null; forbidden: string | null }) {
  const { template, forbidden } = props
  return (
    <Card id="trace-link" title="Link to another trace UI">
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 pb-4">
        <p className="min-w-0 break-all text-ink-2">
          {template === null ? (
            'Not configured: traces are shown here only.'
          ) : (
            <code className="font-mono text-s">{template}</code>
          )}
        </p>
        <ActionDialog
          opener="Change"
          forbidden={forbidden}
          title="Change the link to another trace UI"
          lead="Traces get a link to it, which the reader’s browser opens; the console itself never does."
          confirm="Save 1 template"
          withReason
          action={saveTraceLink}
        >
          <TextField
            name="template"
            label="https template; empty takes the link away"
            defaultValue={template ?? ''}
            placeholder="https://traces.example.com/trace/{traceId}"
            maxLength={500}
          />
        </ActionDialog>
      </div>
    </Card>
  )
}
