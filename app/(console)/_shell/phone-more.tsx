'use client'

import { Menu } from 'lucide-react'
import { usePathname } from 'next/navigation'
import { type ReactNode, useState } from 'react'
import { Dialog } from '@/app/_ui/dialog'
import { ConditionList, type FiringLines } from './conditions'
import { ZoneSwitch } from './zone-switch'

export type PhoneMoreProps = { conditions: FiringLines; writesOn: boolean; children: ReactNode }

/** What the phone's bars have no room for: conditions, time zone, write mode, all pages. */
export function PhoneMore({ conditions, writesOn, children }: PhoneMoreProps) {
  const path = usePathname()
  const [openOn, setOpenOn] = useState<string | null>(null)
  return (
    <>
      <button
        type="button"
        aria-haspopup="dialog"
        onClick={() => setOpenOn(path)}
        className="relative flex min-w-16 flex-1 flex-col items-center justify-center gap-0.5 font-medium text-ink-2 text-xs"
      >
        <Menu size={20} aria-hidden="true" /> More
        {conditions !== null && conditions.length > 0 && (
          <span className="absolute top-1.5 left-[calc(50%+8px)] min-w-4 rounded-full bg-bad-fill px-1 text-[10px] text-on-accent leading-4">
            {conditions.length}
            <span className="sr-only"> firing</span>
          </span>
        )}
      </button>
      <Dialog open={openOn === path} onClose={() => setOpenOn(null)} title="More">
        <section className="mb-4">
          <h2 className="mb-1 text-ink-3 text-s">Conditions</h2>
          <div className="-mx-2">
            <ConditionList lines={conditions} />
          </div>
        </section>
        <section className="mb-4 flex items-center justify-between">
          <h2 className="text-ink-2">Time zone</h2>
          <ZoneSwitch />
        </section>
        <section className="mb-4 flex h-11 items-center justify-between">
          <h2 className="text-ink-2">Writes</h2>
          <p className={writesOn ? 'font-medium' : 'font-medium text-bad-ink'}>{writesOn ? 'On' : 'Off'}</p>
        </section>
        <div className="-mx-2.5">{children}</div>
      </Dialog>
    </>
  )
}
