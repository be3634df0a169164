// Outfits of players, as the sprite sheet numbers them.

/** Number of outfits in the sprite sheet (`assets/sprites.json`: `player-0` to `player-7`). */
export const outfitCount = 8
