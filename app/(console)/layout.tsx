import { NuqsAdapter } from 'nuqs/adapters/next/app'
import type { ReactNode } from 'react'
import { pageContext, signedIn } from '@/app/_server/context'
import { NowClock } from '@/app/_ui/now-clock'
import { TimeTips } from '@/app/_ui/time-tips'
import { listEndingTokens } from '@/lib/access/list-tokens'
import { env } from '@/lib/env'
import { Bar } from './_shell/bar'
import { LastGood } from './_shell/last-good'
import { Live } from './_shell/live'
import { Notices } from './_shell/notices'
import {
  conditionLines,
  conditionsNow,
  evaluatedNow,
  freshnessNow,
  killSwitchNow,
  requestNow,
} from './_shell/reads'
import { BottomBar, Sidebar } from './_shell/sidebar'

/** Every page says who asks and what holds now: none is built ahead. */
export const dynamic = 'force-dynamic'

export default async function ConsoleLayout({ children }: { children: ReactNode }) {
  // Nobody is signed in: the page itself goes to the sign-in page, since it knows the way back.
  if ((await signedIn()) === null) return children
  const { db, actor } = await pageContext()
  const now = await requestNow()
  const [freshness, conditions, evaluated, killSwitch, ending] = await Promise.all([
    freshnessNow(),
    conditionsNow(),
    evaluatedNow(),
    killSwitchNow(),
    listEndingTokens(db, actor, now),
  ])
  const lines = conditions.length > 0 || evaluated ? conditionLines(conditions, now) : null
  const newest = freshness.at(-1)
  const age = {
    receivedAt: newest?.lastReceivedAt.toISOString() ?? null,
    silent: freshness.filter((service) => service.stale).length,
    services: freshness.length,
  }
  return (
    <NuqsAdapter>
      <NowClock serverNow={now.getTime()}>
        <Live>
          <a
            href="#content"
            className="sr-only z-50 rounded-m bg-raised px-3 py-2 font-medium focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
          >
            Skip to the page
          </a>
          <div className="flex min-h-dvh">
            <Sidebar />
            <div className="flex min-w-0 flex-1 flex-col">
              <Bar
                environment={env().IDEMSCOPE_ENVIRONMENT}
                age={age}
                writesOn={!killSwitch.on}
                conditions={lines}
                user={{ name: actor.name, role: actor.role }}
              />
              <Notices
                writesOff={
                  killSwitch.on ? { by: killSwitch.by, at: killSwitch.at, reason: killSwitch.reason } : null
                }
                ending={ending}
                readAt={now.toISOString()}
              />
              <main
                id="content"
                className="w-full max-w-[1680px] flex-1 px-6 pt-4 pb-6 max-md:px-3 max-md:pt-4 max-md:pb-20"
              >
                <LastGood>{children}</LastGood>
              </main>
            </div>
          </div>
          <TimeTips />
          <BottomBar conditions={lines} writesOn={!killSwitch.on} />
        </Live>
      </NowClock>
    </NuqsAdapter>
  )
}
