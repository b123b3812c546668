'use client'

import { useQueryState } from 'nuqs'
import { useSyncExternalStore } from 'react'
import { type Zone, zoneParser } from './time-range'

const never = () => () => undefined

/** False on the server and in the first paint: what only the browser knows comes after. */
export const useHydrated = (): boolean =>
  useSyncExternalStore(
    never,
    () => true,
    () => false,
  )

/** The zone to write times in. The server does not know the browser's: `local` begins once it does. */
export function useZone(): Zone {
  const [zone] = useQueryState('tz', zoneParser)
  return useHydrated() ? zone : 'utc'
}
