import type { Metadata, Viewport } from 'next'
import { headers } from 'next/headers'
import type { ReactNode } from 'react'
import { mono, sans } from './_ui/fonts'
import { ThemeProvider } from './_ui/theme-provider'
import './globals.css'

export const metadata: Metadata = {
  title: { default: 'Idemscope', template: '%s · Idemscope' },
  description: 'The operations console for exactly-once effects',
  robots: { index: false, follow: false },
}

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#ffffff' },
    { media: '(prefers-color-scheme: dark)', color: '#111a2b' },
  ],
}

export default async function RootLayout({ children }: { children: ReactNode }) {
  // Made for each page by proxy.ts; without it the policy refuses the script that sets the theme.
  const nonce = (await headers()).get('x-nonce') ?? undefined
  return (
    // The theme's class is set before the first paint, so the server's markup differs from the browser's.
    <html lang="en" className={`${sans.variable} ${mono.variable}`} suppressHydrationWarning>
      <body>
        <ThemeProvider nonce={nonce}>{children}</ThemeProvider>
      </body>
    </html>
  )
}
