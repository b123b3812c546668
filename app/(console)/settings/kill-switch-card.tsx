import { ActionDialog } from '@/app/_ui/action-dialog'
import { Card } from '@/app/_ui/card'
import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
import { switchWritesOff, switchWritesOn } from './actions'
import type { SettingsData } from './read-page'

/** Stops every change that the console would make outside, at once and for everybody. */
export function KillSwitchCard(settings: SettingsData) {
  const { killSwitch: state, me } = settings
  return (
    <Card id="kill-switch" title="Kill switch">
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 pb-4">
        <div className="max-w-[60ch]">
          <p className="flex items-center gap-2 font-medium">
            <StateMark standing={state.on ? 'bad' : 'ok'} says={null} />
            {state.on ? 'Writes are off: every change is refused.' : 'Writes are on.'}
          </p>
          {state.by !== null && state.at !== null && (
            <p className="mt-1 text-ink-2">
              Last switched by {state.by} at <Time at={state.at} />: “{state.reason}”
            </p>
          )}
          {state.pending !== null && (
            <p className="mt-1 font-medium">
              {state.pending.byId === me ? 'You asked' : `${state.pending.by} asks`} to switch them on: “
              {state.pending.reason}” A second approver, or an administrator, can agree until{' '}
              <Time at={state.pending.expiresAt} />.
            </p>
          )}
          <p className="mt-1 text-ink-2">
            Checked again right before each call to a store, ledger or provider. Reading works on, and so does
            what only stops something: reject, withdraw, abort, revoke, lock out, lower a role.
          </p>
        </div>
        {state.on ? <SwitchOn {...settings} /> : <SwitchOff {...settings} />}
      </div>
    </Card>
  )
}

function SwitchOff({ forbid, place }: SettingsData) {
  return (
    <ActionDialog
      opener="Switch writes off"
      openerLook="danger"
      forbidden={forbid('kill_switch.set')}
      title={`Switch all writes off in ${place}`}
      lead="Every change by anybody is refused with 403. Switching them on again takes an administrator, or two approvers. What is under way at a provider is not called back."
      tone="danger"
      confirm={`Switch all writes off in ${place}`}
      withReason
      action={switchWritesOff}
    />
  )
}

function SwitchOn({ killSwitch: { pending }, forbid, me, place }: SettingsData) {
  // An administrator's word is enough.
  const asks = forbid('user.manage') !== null && (pending === null || pending.byId === me)
  const asked = asks && pending !== null ? 'You asked: somebody else has to agree' : null
  return (
    <ActionDialog
      opener={asks ? 'Ask to switch writes on' : 'Switch writes on'}
      forbidden={forbid('kill_switch.set') ?? asked}
      title={`${asks ? 'Ask to switch writes on' : 'Switch writes on'} in ${place}`}
      lead={
        asks
          ? 'They stay off until a second approver, or an administrator, agrees within 15 minutes.'
          : 'People can release locks, complete keys and approve corrections again.'
      }
      confirm={asks ? `Ask to switch all writes on in ${place}` : `Switch all writes on in ${place}`}
      withReason
      action={switchWritesOn}
    />
  )
}
