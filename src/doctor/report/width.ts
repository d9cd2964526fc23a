/** How many cells of a terminal a text takes: East Asian characters take two. */
export function displayWidth(text: string): number {
  return text.length + (text.match(/[ᄀ-ᅟ⺀-꓏가-힣豈-﫿︰-﹏！-｠￠-￦]/g)?.length ?? 0);
}
