'use client'

import { useRouter } from 'next/navigation'
import { fieldClass } from './field'
import { useQueryHref } from './page-link'

/** Which day, UTC, in the URL under this name. */
export function DayField({ name, day, max }: { name: string; day: string; max: string }) {
  const router = useRouter()
  const here = useQueryHref({ [name]: null })
  return (
    <label className="flex items-center gap-2">
      <span className="whitespace-nowrap text-ink-2">Day, UTC</span>
      <input
        type="date"
        defaultValue={day}
        key={day}
        max={max}
        onChange={({ target: { value } }) =>
          value !== '' && router.push(`${here}${here.includes('?') ? '&' : '?'}${name}=${value}`)
        }
        className={`${fieldClass} w-44`}
      />
    </label>
  )
}
