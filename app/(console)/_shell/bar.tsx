import { ShieldCheck, ShieldOff } from 'lucide-react'
import { chipClass } from '@/app/_ui/chip'
import { classNames } from '@/app/_ui/class-names'
import { Conditions, type FiringLines } from './conditions'
import { DataAge, type DataAgeProps } from './data-age'
import { Palette } from './palette/palette'
import { RangePicker } from './range-picker'
import { UserMenu, type UserMenuProps } from './user-menu'
import { ZoneSwitch } from './zone-switch'

export type BarProps = {
  environment: string
  age: DataAgeProps
  writesOn: boolean
  conditions: FiringLines
  user: UserMenuProps
}

/** What holds for every page: where, when, how fresh, whether it can write, what fires, who. */
export function Bar({ environment, age, writesOn, conditions, user }: BarProps) {
  return (
    <header className="sticky top-0 z-20 flex h-12 items-center gap-2 border-line border-b bg-surface px-4 max-md:gap-1.5 max-md:px-3 print:hidden">
      <EnvironmentWord name={environment} />
      <RangePicker />
      <div className="max-lg:hidden">
        <ZoneSwitch />
      </div>
      <DataAge {...age} />
      <div className="max-md:hidden">
        <WriteMode on={writesOn} />
      </div>
      <div className="max-md:hidden">
        <Conditions lines={conditions} />
      </div>
      <div className="ml-auto flex shrink-0 items-center gap-2">
        <Palette />
        <UserMenu {...user} />
      </div>
    </header>
  )
}

function EnvironmentWord({ name }: { name: string }) {
  return (
    <span
      className={classNames(
        'inline-flex h-6 min-w-0 items-center truncate rounded-s px-2 font-semibold text-on-accent text-xs uppercase tracking-wider',
        name === 'production' ? 'bg-env-prod' : 'bg-env-other',
      )}
    >
      <span className="sr-only">Environment </span>
      {name}
    </span>
  )
}

export function WriteMode({ on }: { on: boolean }) {
  return on ? (
    <span className={chipClass()} title="Verbs may change stores, ledgers and providers">
      <ShieldCheck size={14} aria-hidden="true" /> Writes on
    </span>
  ) : (
    <span className={chipClass('bad')} title="The kill switch is on: every change is refused">
      <ShieldOff size={14} aria-hidden="true" /> Writes off
    </span>
  )
}
