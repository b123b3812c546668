import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { ActDialog } from '@/app/_ui/act-dialog'
import { Card } from '@/app/_ui/card'
import { fieldClass } from '@/app/_ui/field'
import { PageHeader } from '@/app/_ui/page-header'
import { Time } from '@/app/_ui/time'
import { listTokens } from '@/lib/access/tokens'
import { listUsers } from '@/lib/access/users'
import { leastRoleFor, roleAllows, type Verb } from '@/lib/core/permissions'
import { env } from '@/lib/env'
import { readTraceLink } from '@/lib/telemetry/trace-link'
import { killSwitchNow } from '../_shell/reads'
import { revoke, saveTraceLink } from './act'
import { KillSwitchCard } from './kill-switch-card'
import { MintToken } from './mint-token'
import { RolesCard } from './roles-card'
import { UsersCard } from './users-card'

export const metadata: Metadata = { title: 'Settings' }
export const dynamic = 'force-dynamic'

export default async function SettingsPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const ctx = await guardPage('/settings', await searchParams)
  const [killSwitch, users, tokens, template] = await Promise.all([
    killSwitchNow(),
    listUsers(ctx.db),
    listTokens(ctx.db, ctx.actor.userId),
    readTraceLink(ctx.db),
  ])
  const forbid = (verb: Verb) =>
    roleAllows(ctx.actor.role, verb) ? null : `Needs the ${leastRoleFor(verb)} role`
  return (
    <div className="grid gap-3">
      <PageHeader title="Settings" summary={`You are ${ctx.actor.name}, ${ctx.actor.role}.`} />
      <KillSwitchCard
        state={killSwitch}
        forbidden={forbid('kill_switch.set')}
        environment={env().IDEMSCOPE_ENVIRONMENT}
      />
      <div className="grid items-start gap-3 xl:grid-cols-2 [&>*]:min-w-0">
        <div className="grid min-w-0 gap-3">
          <UsersCard users={users} forbidden={forbid('user.manage')} />
          <Card id="tokens" title="Your tokens" aside={`${tokens.length} in use`}>
            <div className="px-4 pb-4">
              <p className="mb-3 text-ink-2">
                A token may do what you may do. Revoked ones stop within 10 s.
              </p>
              <ul className="mb-3 divide-y divide-line empty:hidden">
                {tokens.map((token) => (
                  <li key={token.id} className="flex items-center justify-between gap-3 py-1.5">
                    <span>
                      <span className="font-medium">{token.name}</span>{' '}
                      <code className="font-mono text-ink-3 text-s">{token.start}…</code>
                      <span className="block text-ink-3 text-s">
                        made <Time at={token.createdAt} />
                      </span>
                    </span>
                    <ActDialog
                      opener="Revoke"
                      title={`Revoke the token ${token.name ?? ''}`}
                      lead="Whatever uses it is refused within 10 s. It cannot be brought back."
                      tone="danger"
                      confirm="Revoke 1 token"
                      act={revoke.bind(null, token.id)}
                    />
                  </li>
                ))}
              </ul>
              <MintToken />
            </div>
          </Card>
          <Card id="trace-link" title="Link to another trace UI">
            <div className="flex flex-wrap items-center justify-between gap-3 px-4 pb-4">
              <p className="min-w-0 break-all text-ink-2">
                {template === null ? (
                  'None is set: traces are shown here only.'
                ) : (
                  <code className="font-mono text-s">{template}</code>
                )}
              </p>
              <ActDialog
                opener="Change"
                forbidden={forbid('source.manage')}
                title="Change the link to another trace UI"
                lead="Traces get a link to it, which the reader’s browser opens; the console itself never does."
                confirm="Save 1 template"
                withReason
                act={saveTraceLink}
              >
                <label className="block">
                  <span className="mb-1 block font-medium">https template; empty takes the link away</span>
                  <input
                    name="template"
                    defaultValue={template ?? ''}
                    placeholder="https://traces.example.com/trace/{traceId}"
                    autoComplete="off"
                    maxLength={500}
                    className={fieldClass}
                  />
                </label>
              </ActDialog>
            </div>
          </Card>
        </div>
        <RolesCard />
      </div>
    </div>
  )
}
