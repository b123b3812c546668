import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { PageHeader } from '@/app/_ui/page-header'
import { listTokens } from '@/lib/access/tokens'
import { listUsers } from '@/lib/access/users'
import { leastRoleFor, roleAllows, type Verb } from '@/lib/core/permissions'
import { env } from '@/lib/env'
import { readTraceLink } from '@/lib/telemetry/trace-link'
import { killSwitchNow } from '../_shell/reads'
import { KillSwitchCard } from './kill-switch-card'
import { RolesCard } from './roles-card'
import { TokensCard } from './tokens-card'
import { TraceLinkCard } from './trace-link-card'
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
          <TokensCard tokens={tokens} />
          <TraceLinkCard template={template} forbidden={forbid('source.manage')} />
        </div>
        <RolesCard />
      </div>
    </div>
  )
}
