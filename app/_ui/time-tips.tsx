'use client'

import { useEffect, useState } from 'react'

type Tip = { words: string; left: number; top: number; below: boolean }

const WIDTH = 264
const EDGE = 8
const HEIGHT = 34

/** A moment in both zones, for a finger and for the keyboard; a pointer gets it from the moment's own title. */
export function TimeTips() {
  const [tip, setTip] = useState<Tip | null>(null)
  useEffect(() => {
    const show = (event: Event) => {
      const time = event.target instanceof Element ? event.target.closest('time[title]') : null
      setTip(time === null ? null : tipOf(time))
    }
    const hide = () => setTip(null)
    const press = (event: KeyboardEvent) => event.key === 'Escape' && hide()
    document.addEventListener('click', show)
    document.addEventListener('focusin', show)
    document.addEventListener('scroll', hide, true)
    document.addEventListener('keydown', press)
    return () => {
      document.removeEventListener('click', show)
      document.removeEventListener('focusin', show)
      document.removeEventListener('scroll', hide, true)
      document.removeEventListener('keydown', press)
    }
  }, [])
  if (tip === null) return null
  return (
    <div
      role="tooltip"
      style={{ left: tip.left, top: tip.top, width: WIDTH }}
      className={`pointer-events-none fixed z-50 rounded-m border border-line-strong bg-raised px-2.5 py-1.5 text-center text-s shadow-raised ${tip.below ? '' : '-translate-y-full'}`}
    >
      {tip.words.split(' · ').map((words) => (
        <span key={words} className="block">
          {words}
        </span>
      ))}
    </div>
  )
}

function tipOf(time: Element): Tip {
  const box = time.getBoundingClientRect()
  const below = box.top < HEIGHT * 2
  return {
    words: time.getAttribute('title') ?? '',
    left: Math.min(window.innerWidth - WIDTH - EDGE, Math.max(EDGE, box.left + box.width / 2 - WIDTH / 2)),
    top: below ? box.bottom + EDGE : box.top - EDGE,
    below,
  }
}
