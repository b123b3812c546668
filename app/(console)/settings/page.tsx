import type { Metadata } from 'next'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import { TextField } from '@/app/_ui/field'
import { openPage, type PageProps } from '../_page/open-page'
import { Page, TwoColumns } from '../_page/page-frame'
import { AccountCard, TokensCard } from './account-card'
import { saveTraceLink } from './actions'
import { KillSwitchCard } from './kill-switch-card'
import { readSettingsPage, type SettingsData } from './read-page'
import { RolesCard } from './roles-card'
import { UsersCard } from './users-card'

export const metadata: Metadata = { title: 'Settings' }

export default async function SettingsPage(props: PageProps) {
  const settings = await readSettingsPage(await openPage('/settings', props))
  const { name, role } = settings.ctx.actor
  return (
    <Page title="Settings" summary={`You are ${name}, ${role}.`}>
      <KillSwitchCard {...settings} />
      <TwoColumns>
        <div className="grid min-w-0 gap-3">
          <UsersCard {...settings} />
          <AccountCard {...settings} />
          <TokensCard {...settings} />
          <TraceLinkCard {...settings} />
        </div>
        <RolesCard />
      </TwoColumns>
    </Page>
  )
}

/** Where else a trace can be looked at. */
function TraceLinkCard({ traceLink, forbid }: SettingsData) {
  return (
    <Card id="trace-link" title="Link to another trace UI">
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 pb-4">
        <p className="min-w-0 break-all text-ink-2">
          {traceLink === null ? (
            'Not configured: traces are shown here only.'
          ) : (
            <code className="font-mono text-s">{traceLink}</code>
          )}
        </p>
        <ActionDialog
          opener="Change"
          forbidden={forbid('source.manage')}
          title="Change the link to another trace UI"
          lead="Traces get a link to it, which the reader’s browser opens; the console itself never does."
          confirm="Save 1 template"
          withReason
          action={saveTraceLink}
        >
          <TextField
            name="template"
            label="https template; empty takes the link away"
            defaultValue={traceLink ?? ''}
            placeholder="https://traces.example.com/trace/{traceId}"
            maxLength={500}
          />
        </ActionDialog>
      </div>
    </Card>
  )
}
