import type { Metadata } from 'next'
import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { CodeBox } from '@/app/_ui/code-box'
import { CopyButton } from '@/app/_ui/copy-button'
import { EmptyState } from '@/app/_ui/empty-state'
import { LinesField } from '@/app/_ui/field'
import { bytesText } from '@/app/_ui/format-bytes'
import { Note } from '@/app/_ui/note'
import { AppError } from '@/lib/core/errors'
import { countText } from '@/lib/core/format-figure'
import { dotted } from '@/lib/core/scope'
import { missing, openPage, type PageProps } from '../../../_page/open-page'
import { BesideEachOther, Page } from '../../../_page/page-frame'
import { actOnMessage } from '../../actions'
import { ConsumersCard } from './consumers-card'
import { HistoryCard } from './history-card'
import { type MessagePage, readMessagePage } from './read-message-page'

export const metadata: Metadata = { title: 'Message' }

export default async function MessagePageView(props: PageProps<{ source: string; place: string }>) {
  const given = await props.params
  const [sourceId, place] = [decodeURIComponent(given.source), decodeURIComponent(given.place)]
  const opened = await openPage(`/messages/${given.source}/${given.place}`, props)
  const page = await readMessagePage(opened, { sourceId, place }).catch(whyUnavailable)
  if (typeof page === 'string') {
    return (
      <EmptyState kind="timeout" title="The source cannot be read now">
        {page} Reload to try again.
      </EmptyState>
    )
  }
  const { message, source, decision, payload } = page
  return (
    <Page
      path={[{ label: 'Messages', href: '/messages' }]}
      title={<span className="break-all font-mono text-l">{message.id ?? message.seen.place}</span>}
      beside={
        <>
          <CopyButton text={message.id ?? message.seen.place} label="Copy the id" iconOnly />
          <Badge tone={message.state === 'dead' ? 'bad' : 'plain'}>{message.state}</Badge>
        </>
      }
      summary={`${dotted(message.topic, message.type ?? '', source.name)}, ${bytesText(message.sizeBytes)}, ${countText(message.attempts)} ${message.attempts === 1 ? 'attempt' : 'attempts'}.`}
      actions={<Actions page={page} />}
    >
      <Note
        tone={decision.kind === 'redrive' ? 'ok' : 'warn'}
        title={decision.kind === 'redrive' ? 'It may be sent again' : 'It is not sent again'}
      >
        {decision.kind === 'redrive'
          ? 'No consumer applied it in a way that a second delivery would repeat.'
          : decision.text}
      </Note>
      <BesideEachOther side={<HistoryCard page={page} />}>
        <ConsumersCard page={page} />
        {message.error !== null && (
          <Card id="error" title="Why it was given up">
            <div className="px-4 pb-4">
              <CodeBox>{message.error}</CodeBox>
            </div>
          </Card>
        )}
        <Card
          id="payload"
          title="Payload"
          aside="without secrets"
          empty={payload === null && 'It is not shown: it is no text, or larger than 1 MiB.'}
        >
          <div className="px-4 pb-4">
            <CodeBox>{payload ?? ''}</CodeBox>
          </div>
        </Card>
        <Card id="headers" title="Headers">
          <div className="px-4 pb-4">
            <CodeBox>
              {Object.entries(message.headers)
                .map(([name, value]) => `${name}: ${value}`)
                .join('\n')}
            </CodeBox>
          </div>
        </Card>
      </BesideEachOther>
    </Page>
  )
}

function Actions({ page: { message, source, decision, refusal, place, editable } }: { page: MessagePage }) {
  const seen = { sourceId: source.id, place: message.seen.place, version: message.seen.version }
  const not = message.state === 'dead' ? null : 'Only a dead message is acted on'
  const { canDiscard, canEdit, reasons } = source.capabilities
  const cannotSend = decision.kind === 'refused' ? decision.text : null
  return (
    <>
      <ActionDialog
        opener="Send again"
        openerLook="primary"
        forbidden={refusal.redrive ?? not ?? cannotSend}
        title={`Send 1 message again in ${place}`}
        lead="It is published under its own id, behind younger messages of its key. Its consumers are asked once more before."
        confirm={`Send 1 message again in ${place}`}
        withReason
        action={actOnMessage.bind(null, { ...seen, verb: 'redrive' })}
      />
      {canEdit && editable !== null && (
        <ActionDialog
          opener="Edit and send"
          forbidden={refusal.redrive ?? not ?? cannotSend}
          wide
          title={`Send 1 changed message in ${place}`}
          lead="It is a new message, which names this one in a header; this one is discarded. To a consumer it is another message."
          confirm={`Send 1 changed message in ${place}`}
          withReason
          action={actOnMessage.bind(null, { ...seen, verb: 'redrive' })}
        >
          <LinesField
            label="Payload"
            name="payload"
            rows={10}
            defaultValue={editable}
            className="font-mono text-s"
          />
        </ActionDialog>
      )}
      <ActionDialog
        opener="Discard"
        openerLook="danger"
        tone="danger"
        forbidden={
          refusal.discard ?? not ?? (canDiscard ? null : (reasons?.discard ?? 'This source cannot end it'))
        }
        title={`Discard 1 message in ${place}`}
        lead="It is never published again. A consumer that has not applied it never will."
        confirm={`Discard 1 message in ${place}`}
        withReason
        action={actOnMessage.bind(null, { ...seen, verb: 'discard' })}
      />
    </>
  )
}

function whyUnavailable(error: unknown): string {
  if (error instanceof AppError && error.code === 'unavailable') return error.message
  return missing(error)
}
