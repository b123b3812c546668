import { ActDialog } from '@/app/_ui/act-dialog'
import { Card } from '@/app/_ui/card'
import { StateMark } from '@/app/_ui/state-mark'
import { Time } from '@/app/_ui/time'
import type { KillSwitch } from '@/lib/actions/kill-switch'
import { switchWrites } from './act'

/** Stops every change that the console would make outside, at once and for everybody. */
export function KillSwitchCard({
  state,
  forbidden,
  environment,
}: {
  state: KillSwitch
  forbidden: string | null
  environment: string
}) {
  const place = environment.toUpperCase()
  return (
    <Card id="kill-switch" title="Kill switch">
      <div className="flex flex-wrap items-center justify-between gap-3 px-4 pb-4">
        <div className="max-w-[60ch]">
          <p className="flex items-center gap-2 font-medium">
            <StateMark standing={state.on ? 'bad' : 'ok'} />
            {state.on ? 'Writes are off: every change is refused.' : 'Writes are on.'}
          </p>
          {state.by !== null && state.at !== null && (
            <p className="mt-1 text-ink-2">
              Last switched by {state.by} at <Time at={state.at} />: “{state.reason}”
            </p>
          )}
          <p className="mt-1 text-ink-2">
            Checked again right before each call to a store, ledger or provider. Reading works on.
          </p>
        </div>
        {state.on ? (
          <ActDialog
            opener="Switch writes on"
            forbidden={forbidden}
            title={`Switch writes on in ${place}`}
            lead="People can release locks, complete keys and approve corrections again."
            confirm={`Switch all writes on in ${place}`}
            withReason
            act={switchWrites.bind(null, false)}
          />
        ) : (
          <ActDialog
            opener="Switch writes off"
            openerLook="danger"
            forbidden={forbidden}
            title={`Switch all writes off in ${place}`}
            lead="Every change by anybody is refused with 403 until somebody switches it on again. What is under way at a provider is not called back."
            tone="danger"
            confirm={`Switch all writes off in ${place}`}
            withReason
            act={switchWrites.bind(null, true)}
          />
        )}
      </div>
    </Card>
  )
}
