'use client'

import { ThemeProvider as Themes } from 'next-themes'
import type { ReactNode } from 'react'

/** The theme is a class on <html>, chosen before the first paint. */
export function ThemeProvider({ nonce, children }: { nonce: string | undefined; children: ReactNode }) {
  return (
    <Themes
      {...(nonce === undefined ? {} : { nonce })}
      attribute="class"
      defaultTheme="system"
      enableSystem
      disableTransitionOnChange
    >
      {children}
    </Themes>
  )
}
