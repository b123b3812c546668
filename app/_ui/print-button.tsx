'use client'

import { Printer } from 'lucide-react'
import { Button } from './button'

/** The page on paper: light, without the bars, every table whole (globals.css). */
export function PrintButton() {
  return (
    <Button onClick={() => window.print()}>
      <Printer size={14} aria-hidden="true" /> Print
    </Button>
  )
}
