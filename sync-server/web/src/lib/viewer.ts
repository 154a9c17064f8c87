// OpenSeadragon, wrapped to what the picture needs: one picture, moved and zoomed, on a plain canvas.
import OpenSeadragon from 'openseadragon';

/** Where the picture lies in its element: `x`, `y` of its corner and screen pixels per picture pixel. */
export type Placement = { x: number; y: number; scale: number };

export type PictureSize = { width_px: number; height_px: number };

type Acts = {
  onplaced: (placement: Placement) => void;
  onfailed: () => void;
  onready: (src: string, size: PictureSize) => void;
};

const ZOOM_STEP = 1.5;
/** A picture pixel is drawn at most this large. */
const ZOOM_PIXELS_MAX = 8;

export class PictureViewer {
  readonly #viewer: OpenSeadragon.Viewer;
  readonly #acts: Acts;
  #wanted = '';
  #aspect: number | null = null;

  constructor(element: HTMLElement, acts: Acts) {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#acts = acts;
    this.#viewer = new OpenSeadragon.Viewer({
      element,
      // The canvas drawer needs no WebGL, which a field laptop or a virtual desktop may lack.
      drawer: 'canvas',
      showNavigationControl: false,
      // All that the canvas can do, the page's buttons and keys can do too.
      tabIndex: -1,
      preserveViewport: true,
      animationTime: calm ? 0 : 0.35,
      springStiffness: 9,
      visibilityRatio: 0.5,
      minZoomImageRatio: 0.8,
      maxZoomPixelRatio: ZOOM_PIXELS_MAX,
      zoomPerClick: 2,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true, scrollToZoom: true },
      gestureSettingsTouch: { clickToZoom: false, dblClickToZoom: true, pinchToZoom: true },
    });
    // The page has its own keys, so that ← and → walk through the captures.
    this.#viewer.addHandler('canvas-key', (event) => {
      event.preventDefaultAction = true;
    });
    for (const name of ['update-viewport', 'resize', 'animation'] as const) {
      this.#viewer.addHandler(name, () => {
        this.#place();
      });
    }
  }

  /** The element that takes part in panning; what lies in it may be pressed and dragged. */
  get canvas(): HTMLElement {
    return this.#viewer.canvas as HTMLElement;
  }

  /** Shows the picture of this address; the one before stays until it is there. */
  show(src: string): void {
    this.#wanted = src;
    const first = this.#viewer.world.getItemCount() === 0;
    this.#viewer.addTiledImage({
      tileSource: { type: 'image', url: src } as unknown as OpenSeadragon.TileSource,
      index: 0,
      replace: !first,
      success: (event) => {
        if (this.#wanted !== src) return;
        const item = (event as unknown as { item: OpenSeadragon.TiledImage }).item;
        const { x: width_px, y: height_px } = item.getContentSize();
        // Pictures of one size keep the view: the same corner of the card is compared over time.
        const aspect = width_px / height_px;
        if (this.#aspect === null || Math.abs(this.#aspect - aspect) > 1e-3) {
          this.#viewer.viewport.goHome(true);
        }
        this.#aspect = aspect;
        this.#place();
        this.#acts.onready(src, { width_px, height_px });
      },
      error: () => {
        if (this.#wanted === src) this.#acts.onfailed();
      },
    });
  }

  #place(): void {
    const item = this.#viewer.world.getItemAt(0) as OpenSeadragon.TiledImage | undefined;
    if (item === undefined) return;
    const width = item.getContentSize().x;
    const corner = item.imageToViewerElementCoordinates(new OpenSeadragon.Point(0, 0));
    const right = item.imageToViewerElementCoordinates(new OpenSeadragon.Point(width, 0));
    this.#acts.onplaced({ x: corner.x, y: corner.y, scale: (right.x - corner.x) / width });
  }

  zoom(steps: number): void {
    this.#viewer.viewport.zoomBy(ZOOM_STEP ** steps);
    this.#viewer.viewport.applyConstraints();
  }

  home(): void {
    this.#viewer.viewport.goHome();
  }

  /** Moves by shares of what is visible. */
  pan(right: number, down: number): void {
    const bounds = this.#viewer.viewport.getBounds();
    const step = new OpenSeadragon.Point(bounds.width * right, bounds.height * down);
    this.#viewer.viewport.panBy(step);
    this.#viewer.viewport.applyConstraints();
  }

  /** Brings a box to the middle with some of the card around it. */
  goTo(box: { x_px: number; y_px: number; width_px: number; height_px: number }): void {
    const item = this.#viewer.world.getItemAt(0) as OpenSeadragon.TiledImage | undefined;
    if (item === undefined) return;
    const around = 2.5 * Math.max(box.width_px, box.height_px, 40);
    const rect = new OpenSeadragon.Rect(
      box.x_px + box.width_px / 2 - around,
      box.y_px + box.height_px / 2 - around,
      2 * around,
      2 * around,
    );
    this.#viewer.viewport.fitBoundsWithConstraints(item.imageToViewportRectangle(rect));
  }

  destroy(): void {
    this.#viewer.destroy();
  }
}
