import { ActionDialog } from '@/app/_ui/action-dialog'
import { Badge } from '@/app/_ui/badge'
import { Card } from '@/app/_ui/card'
import { EmptyState } from '@/app/_ui/empty-state'
import { Item, Items } from '@/app/_ui/item'
import { Time } from '@/app/_ui/time'
import { ALERTS } from '@/lib/alerts/about'
import type { RouteView } from '@/lib/alerts/routes/list'
import { durationText } from '@/lib/core/format-figure'
import { nameIn } from '@/lib/core/names'
import { dropRoute, saveRoute, saveRouteChange } from '../actions'
import type { AlertsData } from '../read-page'
import { RouteFields } from './route-fields'

/** Which receiver is told what, in order; one without a route is told everything. */
export function RoutesCard({ routes, receivers, people, forbid, place, silencing }: AlertsData) {
  const forbidden = forbid('receiver.manage')
  const nameOf = (id: string) => receivers.find((receiver) => receiver.id === id)?.name ?? id
  return (
    <Card id="routes" title="Routes" aside="the first that matches decides">
      {routes.length === 0 && (
        <EmptyState kind="none" title="No route is set">
          Every receiver is told of every alert.
        </EmptyState>
      )}
      <Items>
        {routes.map((route) => (
          <Item
            key={route.id}
            data-route={route.name}
            title={
              <>
                {route.name}
                <span className="text-ink-2">to {nameOf(route.receiverId)}</span>
                {route.severity !== null && (
                  <Badge tone={route.severity === 'page' ? 'warn' : 'plain'}>
                    {route.severity === 'page' ? 'Pages' : 'Tickets'}
                  </Badge>
                )}
              </>
            }
            action={
              <>
                <ActionDialog
                  opener="Change"
                  openerLook="quiet"
                  forbidden={forbidden}
                  title={`Change the route ${route.name} in ${place}`}
                  lead="It is in force at once. Alerts that fire are not told anew."
                  wide
                  confirm={`Change 1 route in ${place}`}
                  withReason
                  action={saveRouteChange.bind(null, { id: route.id, version: route.version })}
                >
                  <RouteFields kinds={silencing.kinds} route={route} />
                </ActionDialog>
                <ActionDialog
                  opener="Remove"
                  openerLook="quiet"
                  forbidden={forbidden}
                  title={`Remove the route ${route.name}`}
                  lead="A receiver without any route is told of every alert again."
                  tone="danger"
                  confirm={`Remove 1 route in ${place}`}
                  withReason
                  action={dropRoute.bind(null, { id: route.id, version: route.version })}
                />
              </>
            }
          >
            <p>{whatText(route)}</p>
            <p>{whenText(route)}</p>
            <p>
              version {route.version}, since <Time at={route.createdAt} />, by{' '}
              {nameIn(people, route.createdBy)}
            </p>
          </Item>
        ))}
      </Items>
      <div className="px-4 py-3">
        <ActionDialog
          opener="Add a route"
          forbidden={receivers.length === 0 ? 'Add a receiver first' : forbidden}
          title={`Add a route in ${place}`}
          lead="A receiver with routes is told only what one of them matches."
          wide
          confirm={`Add 1 route in ${place}`}
          withReason
          action={saveRoute}
        >
          <RouteFields
            kinds={silencing.kinds}
            receivers={receivers.map(({ id, name }) => ({ value: id, label: name }))}
          />
        </ActionDialog>
      </div>
    </Card>
  )
}

function whatText({ kinds, systems }: RouteView): string {
  const titles = kinds.map((kind) => ALERTS[kind].title)
  const what = titles.length === 0 ? 'Every alert' : titles.join(', ')
  return systems.length === 0 ? what : `${what}; of ${systems.join(', ')}`
}

function whenText({ intervalMs, remindMs, quiet }: RouteView): string {
  const reminders = remindMs === null ? 'no reminders' : `reminder every ${durationText(remindMs)}`
  const rate = `at most one message of a group in ${durationText(intervalMs)}, ${reminders}`
  if (quiet === null) return rate
  const days = quiet.days.length === 0 ? '' : ` on ${quiet.days.join(', ')}`
  const held = quiet.holdsPages ? 'everything is held' : 'tickets are held'
  return `${rate}; ${held} ${quiet.from}–${quiet.to} ${quiet.zone}${days}`
}
