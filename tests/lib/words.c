/* SPDX-License-Identifier: AGPL-3.0-or-later
 * words PICTURE...: what the Tesseract that this program is linked with reads in pictures: a line for each word with its
 * box, confidence and text, in full precision. */
#include <leptonica/allheaders.h>
#include <stdio.h>
#include <tesseract/capi.h>

#define TESSDATA "/usr/share/tesseract-ocr/5/tessdata"

static void words_print(TessResultIterator *results)
{
    const TessPageIterator *places = TessResultIteratorGetPageIteratorConst(results);
    do {
        char *text = TessResultIteratorGetUTF8Text(results, RIL_WORD);
        int left = 0, top = 0, right = 0, bottom = 0;
        TessPageIteratorBoundingBox(places, RIL_WORD, &left, &top, &right, &bottom);
        printf("%d %d %d %d %a %s\n", left, top, right, bottom, (double)TessResultIteratorConfidence(results, RIL_WORD),
               text ? text : "");
        TessDeleteText(text);
    } while (TessResultIteratorNext(results, RIL_WORD));
}

static int picture_read(TessBaseAPI *api, const char *path)
{
    PIX *pix = pixRead(path);
    if (!pix) {
        fprintf(stderr, "words: %s is no picture\n", path);
        return 1;
    }
    TessBaseAPISetImage2(api, pix);
    int rc = TessBaseAPIRecognize(api, NULL);
    TessResultIterator *results = rc ? NULL : TessBaseAPIGetIterator(api);
    printf("%s: %d\n", path, rc);
    if (results)
        words_print(results);
    TessResultIteratorDelete(results);
    TessBaseAPIClear(api);
    pixDestroy(&pix);
    return rc;
}

int main(int argc, char **argv)
{
    TessBaseAPI *api = TessBaseAPICreate();
    int rc = TessBaseAPIInit3(api, TESSDATA, "vie");
    TessBaseAPISetPageSegMode(api, PSM_AUTO);
    for (int i = 1; i < argc && !rc; i++)
        rc = picture_read(api, argv[i]);
    TessBaseAPIDelete(api);
    return rc ? 1 : 0;
}
