import { cache } from 'react'
import { pageContext } from '@/app/_server/context'
import { readKillSwitch } from '@/lib/actions/kill-switch'
import { readConditions } from '@/lib/alerts/read-conditions'
import { readFreshness } from '@/lib/telemetry/read/freshness'

// What the bar and a page both say comes from one reading a request.

export const requestNow = cache(async (): Promise<Date> => (await pageContext()).clock.now())

export const freshnessNow = cache(async () => readFreshness((await pageContext()).db, await requestNow()))

export const conditionsNow = cache(async () => readConditions((await pageContext()).db))

export const killSwitchNow = cache(async () => readKillSwitch((await pageContext()).db))
