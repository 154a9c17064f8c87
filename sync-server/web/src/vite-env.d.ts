// Types of what Vite and Svelte resolve.
/// <reference types="svelte" />
/// <reference types="vite/client" />
