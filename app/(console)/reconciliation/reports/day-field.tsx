'use client'

import { useRouter } from 'next/navigation'
import { fieldClass } from '@/app/_ui/field'
import { useQueryHref } from '@/app/_ui/page-link'

/** Which day; choosing one opens its report. */
export function DayField({ day, max }: { day: string; max: string }) {
  const router = useRouter()
  const here = useQueryHref({ day: null })
  return (
    <label className="flex items-center gap-2">
      <span className="whitespace-nowrap text-ink-2">Day, UTC</span>
      <input
        type="date"
        defaultValue={day}
        key={day}
        max={max}
        onChange={({ target: { value } }) =>
          value !== '' && router.push(`${here}${here.includes('?') ? '&' : '?'}day=${value}`)
        }
        className={`${fieldClass} w-44`}
      />
    </label>
  )
}
