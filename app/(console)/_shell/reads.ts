import { cache } from 'react'
import { pageContext } from '@/app/_server/context'
import { readKillSwitch } from '@/lib/actions/kill-switch'
import { readFiring } from '@/lib/alerts/read-firing'
import { readFreshness } from '@/lib/telemetry/read/freshness'

// What the bar and a page both say comes from one reading a request.

export const requestNow = cache(async (): Promise<Date> => (await pageContext()).clock.now())

export const freshnessNow = cache(async () => readFreshness((await pageContext()).db, await requestNow()))

export const conditionsNow = cache(async () => readFiring((await pageContext()).db, await requestNow()))

export const killSwitchNow = cache(async () => readKillSwitch((await pageContext()).db))
