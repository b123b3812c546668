import type { Metadata } from 'next'
import { services } from '@/app/_server/services'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { describeSource } from '@/lib/sources/manage/describe'
import { missing, openPage, type PageProps } from '../../../_page/open-page'
import { Page } from '../../../_page/page-frame'
import { ChangeSource } from './change-source'

export const metadata: Metadata = { title: 'Change a source' }

export default async function ChangePage(props: PageProps<{ id: string }>) {
  const { id } = await props.params
  const { ctx, place, forbid } = await openPage(`/sources/${id}/change`, props)
  const forbidden = forbid('source.manage')
  const demo = services().settings.IDEMSCOPE_DEMO
  const source = forbidden === null ? await describeSource(ctx, id, { demo }).catch(missing) : null
  return (
    <Page
      title={source === null ? 'Change a source' : `Change ${source.name}`}
      path={[{ label: 'Sources', href: '/sources' }]}
      summary="It is tried, and you see what becomes of what was read, before anything is saved. Its name and adapter stay."
    >
      {source === null ? (
        <Card id="forbidden" title="Not with your role">
          <EmptyState kind="forbidden" title={forbidden ?? ''}>
            You are {ctx.actor.role}. An administrator can change it here.
          </EmptyState>
        </Card>
      ) : (
        <ChangeSource key={source.version} source={source} place={place} />
      )}
    </Page>
  )
}
