import { readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'

/** The declarations of every entry point and of what they refer to, without comments: what a user can depend on. */
export async function readApi(folder: string): Promise<string> {
  const { exports } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const entries = Object.entries<string | { import: { types: string } }>(exports)
  const texts = new Map<string, string>()
  const read = async (path: string): Promise<void> => {
    if (texts.has(path)) return
    const text = await readFile(join(folder, path), 'utf8')
    texts.set(path, text)
    for (const [, name = ''] of text.matchAll(/(?:from|import\()\s*['"](\.[^'"]+?)(?:\.js)?['"]/g))
      await read(normalize(join(dirname(path), `${name}.d.ts`)))
  }
  const names: string[] = []
  for (const [name, target] of entries) {
    if (typeof target === 'string') continue
    names.push(`${name} → ${normalize(target.import.types)}`)
    await read(normalize(target.import.types))
  }
  const parts = [...texts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, text]) => `// ${path}\n${bare(text)}`)
  return `${names.join('\n')}\n\n${parts.join('\n\n')}\n`
}

const bare = (text: string) =>
  text
    .replace(/\/\*\*[\s\S]*?\*\/\s*/g, '')
    .replace(/\/\/# sourceMappingURL.*/, '')
    .replace(/^\s*\n/gm, '')
    .trim()
