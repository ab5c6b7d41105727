/** Draw points: in WebGL2 where there is, else on a canvas; both draw the same. */

const VERTEX = `#version 300 es
in vec2 from;
in vec2 to;
in vec4 colour;
in float size;
uniform vec2 middle;
uniform vec2 scale;
uniform float share;
uniform float ratio;
out vec4 shade;
out float radius;
void main() {
  vec2 place = mix(from, to, share);
  gl_Position = vec4((place - middle) * scale, 0.0, 1.0);
  radius = size * ratio;
  gl_PointSize = radius + 2.0;
  shade = colour;
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 shade;
in float radius;
out vec4 drawn;
void main() {
  float far = length(gl_PointCoord - 0.5) * (radius + 2.0);
  float cover = clamp(radius * 0.5 + 0.5 - far, 0.0, 1.0);
  float rim = smoothstep(radius * 0.5 - 1.2, radius * 0.5, far) * 0.25;
  if (cover <= 0.0) discard;
  float alpha = shade.a * cover;
  drawn = vec4(shade.rgb * (1.0 - rim) * alpha, alpha);
}`;

/** Return what draws on a canvas: WebGL2, or 2D where that is lacking or not wanted. */
export function renderer(canvas, wantsPlain) {
  const options = { antialias: false, premultipliedAlpha: true, preserveDrawingBuffer: true };
  const gl = wantsPlain ? null : canvas.getContext("webgl2", options);
  return gl ? new WebGlScatter(canvas, gl) : new PlainScatter(canvas);
}

class WebGlScatter {
  constructor(canvas, gl) {
    this.kind = "webgl2";
    this.canvas = canvas;
    this.gl = gl;
    this.program = linked(gl);
    this.buffers = new Map();
    this.order = gl.createBuffer();
    this.count = 0;
    gl.useProgram(this.program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  /** Hand over the places at both ends of a transition: x and y of each point in turn. */
  places(from, to) {
    this.attribute("from", from, 2, this.gl.FLOAT, false);
    this.attribute("to", to, 2, this.gl.FLOAT, false);
  }

  /** Hand over colours (4 bytes each), sizes in pixels, and which points are drawn, in order. */
  looks(colours, sizes, order) {
    const { gl } = this;
    this.attribute("colour", colours, 4, gl.UNSIGNED_BYTE, true);
    this.attribute("size", sizes, 1, gl.FLOAT, false);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, new Uint32Array(order), gl.DYNAMIC_DRAW);
    this.count = order.length;
  }

  attribute(name, values, size, type, isNormalised) {
    const { gl } = this;
    if (!this.buffers.has(name)) this.buffers.set(name, gl.createBuffer());
    const place = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.get(name));
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, type, isNormalised, 0, 0);
  }

  /** Draw as the camera sees it, a share of the way through a transition. */
  draw(camera, share) {
    const { gl, program } = this;
    const ratio = window.devicePixelRatio || 1;
    fit(this.canvas, camera, ratio);
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const set = (name, ...values) =>
      gl[`uniform${values.length}f`](gl.getUniformLocation(program, name), ...values);
    set("middle", ...camera.middle);
    set("scale", (2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height);
    set("share", share);
    set("ratio", ratio);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    gl.drawElements(gl.POINTS, this.count, gl.UNSIGNED_INT, 0);
  }
}

class PlainScatter {
  constructor(canvas) {
    this.kind = "canvas";
    this.canvas = canvas;
    // drawn by the processor: where there is no WebGL, there is no graphics card to send it to
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.order = [];
    this.dots = new Map();
  }

  places(from, to) {
    this.from = from;
    this.to = to;
  }

  looks(colours, sizes, order) {
    this.colours = colours;
    this.shades = new Uint32Array(colours.buffer);
    this.sizes = sizes;
    this.order = order;
    this.dots.clear();
  }

  draw(camera, share) {
    const ratio = window.devicePixelRatio || 1;
    fit(this.canvas, camera, ratio);
    const { context, from, to } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const point of this.order) {
      const at = 2 * point;
      const x = from[at] + (to[at] - from[at]) * share;
      const y = from[at + 1] + (to[at + 1] - from[at + 1]) * share;
      const [px, py] = camera.toScreen(x, y);
      if (px < -9 || py < -9 || px > camera.width + 9 || py > camera.height + 9) continue;
      const dot = this.dot(point, ratio);
      context.drawImage(dot, px * ratio - dot.width / 2, py * ratio - dot.height / 2);
    }
  }

  /** Return a picture of a point of this colour: drawn once, and then copied. */
  dot(point, ratio) {
    const shade = this.shades[point];
    if (!this.dots.has(shade)) {
      const size = this.sizes[point] * ratio;
      const made = document.createElement("canvas");
      made.width = Math.ceil(size) + 2;
      made.height = made.width;
      const context = made.getContext("2d");
      const [red, green, blue, alpha] = this.colours.subarray(4 * point, 4 * point + 4);
      context.fillStyle = `rgb(${red} ${green} ${blue} / ${alpha / 255})`;
      context.beginPath();
      context.arc(made.width / 2, made.width / 2, size / 2, 0, 2 * Math.PI);
      context.fill();
      this.dots.set(shade, made);
    }
    return this.dots.get(shade);
  }
}

/** Make a canvas as large as what the camera sees. */
export function fit(canvas, camera, ratio) {
  const width = Math.round(camera.width * ratio);
  const height = Math.round(camera.height * ratio);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

function linked(gl) {
  const program = gl.createProgram();
  for (const [type, text] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`the graphics driver refuses the shaders: ${gl.getProgramInfoLog(program)}`);
  }
  return program;
}
