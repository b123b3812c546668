import { CheckField, type Choice, SelectField, TextField } from '@/app/_ui/field'
import type { RouteView } from '@/lib/alerts/routes/list'
import { DAYS } from '@/lib/alerts/routes/quiet'

type Props = {
  kinds: readonly { value: string; label: string }[]
  /** Of a new route; one that is changed keeps its receiver. */
  receivers?: readonly Choice[]
  route?: RouteView
}

const MINUTES = (values: readonly number[]) =>
  values.map((minutes) => ({
    value: String(minutes * 60_000),
    label: minutes < 60 ? `${minutes} min` : `${minutes / 60} h`,
  }))
const INTERVALS = MINUTES([1, 5, 15, 30, 60, 240])
const REMINDERS = [{ value: '', label: 'Never' }, ...MINUTES([15, 30, 60, 120, 240, 480])]

/** A value that is set through the API may be another than those that are offered. */
const withOwn = (choices: readonly { value: string; label: string }[], value: string) =>
  choices.some((choice) => choice.value === value)
    ? choices
    : [...choices, { value, label: `${Number(value) / 1_000} s` }]

export function RouteFields({ kinds, receivers, route }: Props) {
  const quiet = route?.quiet ?? null
  const intervalMs = String(route?.intervalMs ?? 300_000)
  const remindMs = route === undefined ? '3600000' : String(route.remindMs ?? '')
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2 [&>*]:min-w-0">
        <TextField name="name" label="Name" required maxLength={60} defaultValue={route?.name} />
        {receivers !== undefined && <SelectField name="receiverId" label="Receiver" choices={receivers} />}
        <SelectField
          name="severity"
          label="Severity"
          defaultValue={route?.severity ?? ''}
          choices={[
            { value: '', label: 'Pages and tickets' },
            { value: 'page', label: 'Pages' },
            { value: 'ticket', label: 'Tickets' },
          ]}
        />
        <TextField
          name="systems"
          label="Systems, separated by commas; empty means all"
          maxLength={2000}
          defaultValue={route?.systems.join(', ')}
        />
        <SelectField
          name="intervalMs"
          label="At most one message of a group in"
          defaultValue={intervalMs}
          choices={withOwn(INTERVALS, intervalMs)}
        />
        <SelectField
          name="remindMs"
          label="Reminder of what nobody acknowledged every"
          defaultValue={remindMs}
          choices={withOwn(REMINDERS, remindMs)}
        />
      </div>
      <details>
        <summary className="font-medium text-accent-ink max-md:min-h-11">
          Alerts: {route === undefined || route.kinds.length === 0 ? 'all' : route.kinds.length}
        </summary>
        <div className="grid sm:grid-cols-2">
          {kinds.map(({ value, label }) => (
            <CheckField
              key={value}
              name={`kind.${value}`}
              label={label}
              defaultChecked={route?.kinds.some((kind) => kind === value) ?? false}
            />
          ))}
        </div>
        <p className="text-ink-2 text-s">None means all.</p>
      </details>
      <details open={quiet !== null}>
        <summary className="font-medium text-accent-ink max-md:min-h-11">Quiet hours</summary>
        <div className="grid gap-3 sm:grid-cols-3 [&>*]:min-w-0">
          <TextField name="from" label="From; empty means none" type="time" defaultValue={quiet?.from} />
          <TextField name="until" label="To" type="time" defaultValue={quiet?.to} />
          <TextField name="zone" label="Time zone" maxLength={60} defaultValue={quiet?.zone ?? 'UTC'} />
        </div>
        <div className="mt-2 flex flex-wrap gap-x-4">
          {DAYS.map((day) => (
            <CheckField
              key={day}
              name={`day.${day}`}
              label={day}
              defaultChecked={quiet?.days.includes(day) ?? false}
            />
          ))}
        </div>
        <p className="text-ink-2 text-s">
          Days on which they begin; none means every day. Tickets wait until they end, and are told then.
        </p>
        <CheckField
          name="holdsPages"
          label="Pages wait as well"
          defaultChecked={quiet?.holdsPages ?? false}
        />
      </details>
    </>
  )
}
