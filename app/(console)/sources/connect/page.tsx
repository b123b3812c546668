import type { Metadata } from 'next'
import type { SearchParams } from 'nuqs/server'
import { guardPage } from '@/app/_server/page-guard'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { PageHeader } from '@/app/_ui/page-header'
import { PageLink } from '@/app/_ui/page-link'
import { leastRoleFor, roleAllows } from '@/lib/core/permissions'
import { env } from '@/lib/env'
import { ConnectStore } from './connect-store'

export const metadata: Metadata = { title: 'Connect a store' }
export const dynamic = 'force-dynamic'

export default async function ConnectPage({ searchParams }: { searchParams: Promise<SearchParams> }) {
  const ctx = await guardPage('/sources/connect', await searchParams)
  return (
    <div className="grid gap-3">
      <PageHeader
        title="Connect an idempotency store"
        above={
          <PageLink href="/sources" className="hover:underline">
            Sources
          </PageLink>
        }
        summary="Looks for the tables of the libraries it knows, and shows what it makes of real rows before anything is saved."
      />
      {roleAllows(ctx.actor.role, 'source.manage') ? (
        <ConnectStore place={env().IDEMSCOPE_ENVIRONMENT.toUpperCase()} />
      ) : (
        <Card id="forbidden" title="Not with your role">
          <EmptyState kind="forbidden" title={`Needs the ${leastRoleFor('source.manage')} role`}>
            You are {ctx.actor.role}. An administrator can connect it here, or on the command line.
          </EmptyState>
        </Card>
      )}
    </div>
  )
}
