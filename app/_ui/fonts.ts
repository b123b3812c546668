import localFont from 'next/font/local'

// From the npm package, served by the console itself. Until they are there the fallback of globals.css stands in, as
// wide as they are: nothing moves when they come.

export const sans = localFont({
  src: '../../node_modules/geist/dist/fonts/geist-sans/Geist-Variable.woff2',
  variable: '--font-geist-sans',
  weight: '100 900',
  adjustFontFallback: false,
  fallback: ['Geist fallback', 'system-ui', 'sans-serif'],
})

export const mono = localFont({
  src: '../../node_modules/geist/dist/fonts/geist-mono/GeistMono-Variable.woff2',
  variable: '--font-geist-mono',
  weight: '100 900',
  adjustFontFallback: false,
  fallback: ['ui-monospace', 'monospace'],
})
