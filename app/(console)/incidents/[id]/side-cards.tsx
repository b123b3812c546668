import { Download } from 'lucide-react'
import { Badge } from '@/app/_ui/badge'
import { Button } from '@/app/_ui/button'
import { Card } from '@/app/_ui/card'
import { Facts } from '@/app/_ui/facts'
import { Item, Items } from '@/app/_ui/item'
import { moneyListText } from '@/app/_ui/money-text'
import { PageLink } from '@/app/_ui/page-link'
import { ShortId } from '@/app/_ui/short-id'
import { TextWithTimes } from '@/app/_ui/text-with-times'
import { Time } from '@/app/_ui/time'
import { alertText } from '@/lib/alerts/about'
import { auditOf } from '@/lib/alerts/now/marks'
import { figuresOf } from '@/lib/alerts/show-alert'
import type { MoneyAtRisk } from '@/lib/incidents/money-at-risk'
import type { IncidentAlert } from '@/lib/incidents/read-alerts'
import type { IncidentView } from '@/lib/incidents/view'

export const AlertsOfIncident = ({ alerts }: { alerts: readonly IncidentAlert[] }) => (
  <Card
    id="alerts"
    title="Alerts"
    aside="oldest first"
    empty={alerts.length === 0 && 'None belongs to it: it was opened by hand.'}
  >
    <Items>
      {alerts.map((alert) => (
        <Item
          key={alert.id}
          data-alert={alert.kind}
          title={
            <>
              <PageLink href={`/alerts?open=${alert.id}`} look="plain">
                {alertText(alert)}
              </PageLink>
              {alert.clearedAt === null ? (
                <Badge tone={alert.severity === 'page' ? 'bad' : 'warn'}>Fires</Badge>
              ) : (
                <Badge tone="ok">Cleared</Badge>
              )}
            </>
          }
        >
          <p>
            <TextWithTimes text={figuresOf(alert)} />
          </p>
          <p>
            {alert.severity}, since <Time at={alert.since} />
            {alert.clearedAt !== null && (
              <>
                , cleared <Time at={alert.clearedAt} />
              </>
            )}
          </p>
        </Item>
      ))}
    </Items>
  </Card>
)

/** In each currency the largest counts: the same money may stand behind several. */
export const MoneyCard = ({ money: { parts } }: { money: MoneyAtRisk }) => (
  <Card
    id="money"
    title="Money at risk now"
    empty={parts.length === 0 && 'Not known: no alert that fires names an amount.'}
  >
    <div className="px-4 pb-2">
      <Facts
        facts={parts.map(({ what, amounts, more }) => ({
          label: what,
          value: `${more ? 'at least ' : ''}${moneyListText(amounts) || 'none known'}`,
        }))}
      />
    </div>
  </Card>
)

/** What was written when it was closed, and all of it as a file. */
export function PostmortemCard({ incident }: { incident: IncidentView }) {
  const { id, cause, followUps } = incident
  return (
    <Card id="postmortem" title="Postmortem">
      <div className="grid gap-2 px-4 pt-1 pb-3">
        <p className="whitespace-pre-line break-words">
          {cause ?? <span className="text-ink-2">Closing asks for the cause and the follow-ups.</span>}
        </p>
        {followUps.length > 0 && (
          <ul className="list-disc break-words pl-5">
            {followUps.map((text) => (
              <li key={text}>{text}</li>
            ))}
          </ul>
        )}
        <div className="flex flex-wrap gap-2">
          {(['markdown', 'json'] as const).map((format) => (
            <form key={format} method="post" action={`/incidents/${id}/postmortem?format=${format}`}>
              <Button type="submit" title="That you took it is recorded">
                <Download size={14} aria-hidden="true" /> {format === 'json' ? 'JSON' : 'Markdown'}
              </Button>
            </form>
          ))}
        </div>
        <p className="text-ink-2 text-s">
          <PageLink href={auditOf(id)} look="inline">
            Audit
          </PageLink>{' '}
          of <ShortId id={id} />
        </p>
      </div>
    </Card>
  )
}
