import { Badge } from '@/app/_ui/badge'
import { buttonClass } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { classNames } from '@/app/_ui/class-names'
import { EmptyState } from '@/app/_ui/empty-state'
import { PageLink, QueryLink } from '@/app/_ui/page-link'
import { StateMark } from '@/app/_ui/state-mark'
import { TextWithTimes } from '@/app/_ui/text-with-times'
import { Time } from '@/app/_ui/time'
import { alertText } from '@/lib/alerts/about'
import type { AcknowledgementView } from '@/lib/alerts/acknowledge/read'
import type { Shown } from '@/lib/alerts/show-alert'
import { type Names, nameIn } from '@/lib/core/names'
import { RunbookSteps } from '../_page/runbook-steps'
import { AcknowledgeAlert, UnacknowledgeAlert } from './acknowledge-alert'
import type { AlertsData } from './read-page'
import { SilenceDialog, type Silencing } from './silence-dialog'

/** What fires now, the urgent first; the one that is open has its runbook. */
export function FiringCard(alerts: AlertsData) {
  const { firing, evaluated, cleared, people, query, silencing, acknowledged, forbid, place } = alerts
  const openId = query.open
  const acknowledging = { place, forbidden: forbid('alert.acknowledge') }
  return (
    <Card
      id="firing"
      title="Firing"
      aside={firing.length === 0 ? undefined : `${firing.length}, evaluated every few seconds`}
    >
      {cleared !== null && (
        <Alert alert={cleared} chosen acknowledged={null} {...{ people, silencing, acknowledging }} />
      )}
      {cleared === null && openId !== null && firing.every(({ id }) => id !== openId) && (
        <EmptyState kind="filtered" title="There is no such alert">
          The link names one that this console does not know.
        </EmptyState>
      )}
      {firing.length === 0 && <NothingFires evaluated={evaluated} />}
      {firing.map((alert) => (
        <Alert
          key={alert.id}
          {...{ alert, people, silencing, acknowledging }}
          chosen={alert.id === openId}
          acknowledged={acknowledged.get(alert.id) ?? null}
        />
      ))}
    </Card>
  )
}

function NothingFires({ evaluated }: { evaluated: boolean }) {
  return evaluated ? (
    <EmptyState kind="none" title="No alert fires">
      Conditions are evaluated whether or not anybody looks; the history below has what fired.
    </EmptyState>
  ) : (
    <EmptyState kind="waiting" title="Not measured: no service sends telemetry and no source is connected">
      Alerts are evaluated once one is.{' '}
      <PageLink href="/sources" look="inline">
        Sources
      </PageLink>{' '}
      says how.
    </EmptyState>
  )
}

type AlertProps = {
  alert: Shown
  chosen: boolean
  people: Names
  silencing: Silencing
  acknowledging: { place: string; forbidden: string | null }
  /** Null = nobody looks after it. */
  acknowledged: AcknowledgementView | null
}

function Alert({ alert, chosen, people, silencing, acknowledging, acknowledged }: AlertProps) {
  const { id, title, about, urgent, silence, clearedAt, runbook, range } = alert
  const quiet = silence !== null || clearedAt !== null
  return (
    <article
      data-alert={alert.kind}
      aria-label={alertText(alert)}
      className={classNames('border-line border-t px-4 py-3', chosen && 'bg-accent-soft')}
    >
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0 flex-1 basis-80">
          <h3 className="flex flex-wrap items-center gap-x-2 gap-y-1 font-semibold">
            <StateMark standing={quiet ? 'stale' : urgent ? 'bad' : 'warn'} />
            <QueryLink
              set={{ open: id, from: range.from, to: range.to, range: null }}
              scroll={false}
              className="hover:underline"
              title="Open this alert in its own range"
            >
              {title}
            </QueryLink>
            {about !== null && <span className="break-all text-ink-2">{about}</span>}
            {clearedAt !== null && <Badge tone="ok">Cleared</Badge>}
            {silence !== null && <Badge tone="accent">Silenced</Badge>}
            {alert.times > 1 && <Badge tone="warn">came back {alert.times - 1}×</Badge>}
            {acknowledged !== null && <Badge tone="ok">Acknowledged</Badge>}
          </h3>
          <p className="mt-0.5 break-words text-ink-2">
            <TextWithTimes text={alert.figures} />
          </p>
          {alert.behind !== null && <p className="font-medium">{alert.behind}</p>}
          <When alert={alert} people={people} />
          {acknowledged !== null && <Acknowledged {...acknowledged} />}
        </div>
        <div className="flex flex-wrap items-start gap-2">
          <PageLink href={alert.href} className={buttonClass('plain')}>
            Look into it
          </PageLink>
          {clearedAt === null &&
            (acknowledged === null ? (
              <AcknowledgeAlert id={id} chosen={chosen} {...acknowledging} />
            ) : (
              <UnacknowledgeAlert id={id} forbidden={acknowledging.forbidden} />
            ))}
          {clearedAt === null && (
            <SilenceDialog
              {...silencing}
              opener="Silence"
              given={{ kind: alert.kind, subject: alert.subject === 'all' ? '' : alert.subject }}
            />
          )}
        </div>
      </div>
      {chosen && <Around alert={alert} />}
      {runbook !== null && <RunbookSteps runbook={runbook} />}
    </article>
  )
}

const Acknowledged = ({ byName, at, until, note }: AcknowledgementView) => (
  <p className="text-ink-2 text-s">
    acknowledged <Time at={at} /> by {byName}, until <Time at={until} />
    {note !== '' && `: “${note}”`}
  </p>
)

function When({ alert, people }: Pick<AlertProps, 'alert' | 'people'>) {
  const { since, clearedAt, checkedAt, silence } = alert
  return (
    <p className="mt-1 text-ink-2 text-s">
      since <Time at={since} />, for <Time at={since} kind="age" />
      {clearedAt !== null && (
        <>
          ; cleared <Time at={clearedAt} />
        </>
      )}
      {checkedAt !== null && (
        <>
          ; evaluated <Time at={checkedAt} kind="seconds" />
        </>
      )}
      {silence !== null && (
        <>
          ; silenced until <Time at={silence.endsAt} /> by {nameIn(people, silence.createdBy)}: “
          {silence.reason}”
        </>
      )}
    </p>
  )
}

/** Some of what it is about, and what changed just before it. */
function Around({ alert: { examples, changes } }: Pick<AlertProps, 'alert'>) {
  if (examples.length === 0 && changes.length === 0) return null
  return (
    <div className="mt-2 grid gap-x-6 gap-y-2 text-s md:grid-cols-2">
      {examples.length > 0 && (
        <section aria-label="Examples" className="min-w-0">
          <h4 className="font-medium">The oldest of them</h4>
          <ul>
            {examples.map(({ label, path }) => (
              <li key={`${path} ${label}`} className="truncate">
                <PageLink href={path} look="inline">
                  {label}
                </PageLink>
              </li>
            ))}
          </ul>
        </section>
      )}
      {changes.length > 0 && (
        <section aria-label="What changed just before" className="min-w-0">
          <h4 className="font-medium">In the hour before</h4>
          <ul>
            {changes.map(({ at, kind, label, href }) => (
              <li key={`${at} ${label}`} className="truncate">
                <Time at={new Date(at).toISOString()} /> {kind === 'deploy' ? 'deploy of ' : ''}
                <PageLink href={href} look="inline">
                  {label}
                </PageLink>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}
